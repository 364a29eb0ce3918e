/** Calls `reload` on SIGHUP and SIGUSR1 until the function that it returns is called. Node's debugger no longer starts on SIGUSR1. */
export function onReload(reload: () => void): () => void {
  const signals = ['SIGHUP', 'SIGUSR1'] as const;
  for (const signal of signals) process.on(signal, reload);
  return () => {
    for (const signal of signals) process.off(signal, reload);
  };
}
