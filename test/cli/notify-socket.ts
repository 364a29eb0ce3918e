import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { EventQueue } from '../support/event-queue.ts';

/** Perl, since Node has no datagram sockets of AF_UNIX. What it does not take of a message, its file descriptors, is closed: the barrier. */
const RECEIVER = `
use Socket; $| = 1;
my $s; socket($s, PF_UNIX, SOCK_DGRAM, 0) && bind($s, sockaddr_un($ARGV[0])) or die $!;
print "listening\\n";
while (defined recv($s, my $m, 4096, 0)) { print "$m\\n" unless $m =~ /^BARRIER/; }
`;

/** systemd's end of NOTIFY_SOCKET. */
export async function notifySocket(): Promise<{ readonly path: string; readonly said: EventQueue<string> }> {
  const dir = await mkdtemp(join(tmpdir(), 'notify-'));
  const path = join(dir, 'socket');
  const receiver = spawn('perl', ['-e', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    receiver.kill('SIGKILL');
    await rm(dir, { recursive: true });
  });
  const said = new EventQueue<string>();
  createInterface({ input: receiver.stdout }).on('line', (line) => {
    if (line !== '') said.push(line);
  });
  await said.until((line) => line === 'listening');
  return { path, said };
}
