import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { CodedError, errorCode, errorText } from '../../errors/coded-error.ts';

const run = promisify(execFile);

const parameterList = z.object({
  size: z.string(),
  directory: z.string(),
  official: z.boolean(),
  /** `bytes` is null for a file that is not there. */
  files: z.array(z.object({ name: z.string(), bytes: z.number().nullable(), digest: z.string().nullable() })),
});
export type ParameterList = z.infer<typeof parameterList>;

/** What `prover-tools params …` does, with `--size` and `--dir`. All @throws CodedError `bad-parameters`, `no-prover-tools` */
export const proverTools = {
  list: async (where: readonly string[]): Promise<ParameterList> =>
    parameterList.parse(JSON.parse(await params('list', where))),
  check: async (where: readonly string[]): Promise<void> => void (await params('check', where)),
  /** Of a test size; what is there already is checked and kept. */
  generate: async (where: readonly string[]): Promise<void> => void (await params('generate', where)),
};

async function params(verb: string, where: readonly string[]): Promise<string> {
  const bin = fileURLToPath(new URL('../../../dist/bin/prover-tools', import.meta.url));
  try {
    const { stdout } = await run(bin, ['params', verb, ...where]);
    return stdout;
  } catch (error) {
    if (errorCode(error) === 'ENOENT')
      throw new CodedError('no-prover-tools', `${bin} is missing: install the release again`);
    const said = typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new CodedError('bad-parameters', said.replace(/^prover-tools: /, '') || errorText(error));
  }
}
