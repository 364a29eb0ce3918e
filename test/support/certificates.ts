import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Certificate {
  /** A certificate for 127.0.0.1 and localhost, for servers and clients. */
  issue(name: string): Promise<Certificate>;
}

/** A certificate authority in a directory of its own, gone after the test. Wants the openssl command. */
export async function newAuthority(name: string): Promise<Authority> {
  const dir = await mkdtemp(join(tmpdir(), 'certificates-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const at = (file: string) => ({ cert: join(dir, `${file}.crt`), key: join(dir, `${file}.key`) });
  const make = async (file: string, ...options: string[]) => {
    const { cert, key } = at(file);
    const fresh = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '2'];
    await run('openssl', [...fresh, '-subj', `/CN=${file}`, '-keyout', key, '-out', cert, ...options]);
    return { cert, key };
  };
  const own = await make(name);
  return {
    ...own,
    issue: (file) =>
      make(
        file,
        ...['-CA', own.cert, '-CAkey', own.key],
        ...['-addext', 'basicConstraints=critical,CA:false'],
        ...['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
      ),
  };
}
