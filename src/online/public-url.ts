import { ask, type Asked, fault, objectIn, type OnlineParts, type Probed } from './probe.ts'

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
  const get = (path: string) =>
    ask(parts, { method: 'GET', url: `${url}${path}`, authorization: null, body: null })
  const asked = await get('/livez')
  if (!asked.answered || asked.status >= 500) {
    const { said } = fault(asked, 'the public URL')!
    return { ...probed, status: 'failed', said: `${url}: ${said}`, advice: DOWN }
  }
  // Only /v1 has to be public.
  if (!isAlive(asked) && !isIntake(await get('/v1/segment'))) {
    return {
      ...probed,
      status: 'failed',
      said: `${url} answered ${asked.status}, and it is no refiner-sync that answers`,
      advice: 'see where the proxy there passes requests to: all that begins with /v1/ is for the daemon',
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

function isAlive(asked: Asked): boolean {
  return asked.answered && asked.status === 200 && objectIn(asked)?.['status'] === 'ok'
}

/** What intake answers to a GET. */
function isIntake(asked: Asked): boolean {
  const message = objectIn(asked)?.['message']
  return (
    asked.answered &&
    asked.status === 405 &&
    typeof message === 'string' &&
    message.startsWith('this URL is right')
  )
}

const DOWN =
  'see that the daemon runs (`refiner-sync status`), that the proxy passes requests to it, and that its certificate is valid'
