import { createHmac } from 'node:crypto';

export const permissions = ['read', 'write', 'sign', 'admin'] as const;

export type Permission = (typeof permissions)[number];

/** Tokens as a node makes them: JSON web tokens that name what they allow. */
export class Tokens {
  readonly #secret: Uint8Array;
  readonly #byToken = new Map<string, readonly string[]>();

  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  issue(allowed: readonly string[]): string {
    const body = [{ alg: 'HS256', typ: 'JWT' }, { Allow: allowed }].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    const token = `${body.join('.')}.${createHmac('sha256', this.#secret).update(body.join('.')).digest('base64url')}`;
    this.#byToken.set(token, allowed);
    return token;
  }

  /** What an Authorization header allows; without one everybody may read. Undefined for a token that is not ours. */
  allowed(header: string | undefined): readonly string[] | undefined {
    if (header === undefined) return ['read'];
    return this.#byToken.get(header.replace(/^Bearer /, ''));
  }
}
