import { ask, fault, objectIn, type OnlineParts, type Probed } from './probe.ts'

/** Whether the daemon answers where Segment and Refiner are to reach it, as seen from this machine. */
export async function probePublicUrl(url: string | null, parts: OnlineParts): Promise<Probed> {
  const probed = { tenant: null, what: 'public url' } as const
  if (url === null) {
    return {
      ...probed,
      status: 'unknown',
      said: 'where the daemon is reached from outside is not known',
      advice: 'set server.public_url, or give --url https://YOUR-HOST',
    }
  }
  const asked = await ask(parts, { method: 'GET', url: `${url}/livez`, authorization: null, body: null })
  if (!asked.answered || asked.status >= 500) {
    const { said } = fault(asked, 'the public URL')!
    return { ...probed, status: 'failed', said: `${url}: ${said}`, advice: DOWN }
  }
  if (asked.status !== 200 || objectIn(asked)?.['status'] !== 'ok') {
    return {
      ...probed,
      status: 'failed',
      said: `${url}/livez answered ${asked.status}, and it is no refiner-sync that answers`,
      advice: 'see where the proxy there passes requests to: /v1, /livez and /health belong to the daemon',
    }
  }
  if (new URL(url).protocol === 'http:') {
    const advice = 'put a proxy with a certificate in front of it: see docs/operations.md'
    return {
      ...probed,
      status: 'ok',
      said: `${url} answers, but without TLS: Segment and Refiner need https://`,
      advice,
    }
  }
  return { ...probed, status: 'ok', said: `${url} answers, over TLS`, advice: null }
}

const DOWN =
  'see that the daemon runs (`refiner-sync status`), that the proxy passes requests to it, and that its certificate is valid'
