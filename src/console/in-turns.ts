/** Lets everything else that waits have its turn of the event loop. */
export function otherTurns(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
