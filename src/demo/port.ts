export const USUAL_PORT = 8787

/** The port that the demo listens on: the wanted one, or else the usual one, or a free one (0) when that is taken. */
export function choosePort(wanted: number | null): number {
  return wanted ?? (isFree(USUAL_PORT) ? USUAL_PORT : 0)
}

/** Whether something can listen on this port of loopback right now. 0 always can. */
export function isFree(port: number): boolean {
  try {
    void Bun.serve({ hostname: '127.0.0.1', port, fetch: () => new Response() }).stop(true)
    return true
  } catch {
    return false
  }
}
