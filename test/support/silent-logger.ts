import { createLogger } from '../../src/telemetry/logger.ts';

export const silentLogger = createLogger('test', { LOG_LEVEL: 'silent' });
