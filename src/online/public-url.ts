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
  if (asked.status >= 300 && asked.status < 400) {
    const advice = 'give the URL that it leads to: redirects are not followed'
    return { ...probed, status: 'failed', said: `${url} answered ${asked.status}, a redirect`, advice }
  }
  // Only /v1 has to be public.
  const intake = isAlive(asked) ? null : await get('/v1/segment')
  if (intake !== null && !isIntake(intake)) {
    if (intake.answered && GUARDED.has(intake.status)) {
      return {
        ...probed,
        status: 'unknown',
        said: `${url} answered ${intake.status} to a GET: something in front of the daemon may let only a POST pass`,
        advice: 'send a test from Segment or Refiner, and see that it arrives',
      }
    }
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

/** How a proxy that lets through only what it has to answers. */
const GUARDED = new Set([401, 403, 405, 429])

const DOWN =
  'see that the daemon runs (`refiner-sync status`), that the proxy passes requests to it, and that its certificate is valid'
