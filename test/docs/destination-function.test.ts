import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { createContext, runInContext } from 'node:vm'
import { answer as answerOf, refusalAnswer } from '../../src/intake/answers.ts'
import { Refusal } from '../../src/intake/refusal.ts'

/** What Segment's functions runtime offers to throw; the names are its own. */
class RetryError extends Error {}
class EventNotSupported extends Error {}
class ValidationError extends Error {}

interface Settings {
  readonly endpoint: string
  readonly apiKey: string
}
type Handler = (event: unknown, settings: Settings) => Promise<unknown>
type HandlerName =
  'onIdentify' | 'onTrack' | 'onGroup' | 'onDelete' | 'onPage' | 'onScreen' | 'onAlias' | 'onBatch'

interface Received {
  readonly method: string
  readonly path: string
  readonly authorization: string | null
  readonly contentType: string | null
  readonly body: unknown
}

const code = await Bun.file(new URL('../../docs/segment-destination-function.js', import.meta.url)).text()

/** A fresh global object with the function's code in it, as each of Segment's function instances has. */
function load(): Record<HandlerName, Handler> {
  const sandbox = { fetch, RetryError, EventNotSupported, ValidationError }
  const context = createContext(sandbox)
  runInContext(code, context, { filename: 'segment-destination-function.js' })
  return context as typeof sandbox & Record<HandlerName, Handler>
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call
  } catch (error) {
    return error
  }
  throw new Error('the handler was expected to throw')
}

let received: Received[]
let answer: () => Response
let server: Bun.Server<undefined>
let settings: Settings

beforeEach(() => {
  received = []
  answer = () => answerOf({ tenant: 'acme', accepted: 1, duplicates: 0, errors: [] })
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      received.push({
        method: request.method,
        path: new URL(request.url).pathname,
        authorization: request.headers.get('authorization'),
        contentType: request.headers.get('content-type'),
        body: await request.json(),
      })
      return answer()
    },
  })
  settings = { endpoint: new URL('/v1/segment', server.url).href, apiKey: 'key-of-acme' }
})

afterEach(() => server.stop(true))

describe('what is sent', () => {
  const events: [HandlerName, object][] = [
    ['onIdentify', { type: 'identify', messageId: 'm1', userId: 'u1', traits: { plan: 'pro' } }],
    [
      'onTrack',
      { type: 'track', messageId: 'm2', userId: 'u1', event: 'Signed Up', properties: { seats: 3 } },
    ],
    ['onGroup', { type: 'group', messageId: 'm3', userId: 'u1', groupId: 'a1', traits: { name: 'Acme' } }],
    ['onDelete', { type: 'delete', userId: 'u1' }],
  ]

  test.each(events)('%s posts the whole event with the key', async (name, event) => {
    await load()[name](event, settings)
    expect(received).toEqual([
      {
        method: 'POST',
        path: '/v1/segment',
        authorization: 'Bearer key-of-acme',
        contentType: 'application/json',
        body: event,
      },
    ])
  })

  test.each(['onPage', 'onScreen', 'onAlias'] as const)('%s is refused without a request', async (name) => {
    const failure = await failureOf(load()[name]({ userId: 'u1' }, settings))
    expect(failure).toBeInstanceOf(EventNotSupported)
    expect(received).toEqual([])
  })
})

test('onBatch posts all events at once, and tells Segment which were not taken', async () => {
  const notTaken = [{ index: 1, status: 501, message: 'page calls are not supported' }]
  answer = () => answerOf({ tenant: 'acme', accepted: 2, duplicates: 0, errors: notTaken })
  const batch = [{ type: 'identify' }, { type: 'page' }, { type: 'track' }]
  const results = await load().onBatch(batch, settings)
  expect(received.map(({ body }) => body)).toEqual([batch])
  expect(Array.from(results as object[])).toEqual([
    { status: 200 },
    { status: 400, errormessage: 'page calls are not supported' },
    { status: 200 },
  ])
})

describe('what an answer means to Segment', () => {
  const track = { type: 'track', messageId: 'm2', userId: 'u1', event: 'Signed Up' }
  const refusals: [Refusal['status'], new (message: string) => Error][] = [
    [400, ValidationError],
    [401, RetryError],
    [403, ValidationError],
    [404, RetryError],
    [413, ValidationError],
    [500, RetryError],
    [501, EventNotSupported],
    [503, RetryError],
  ]

  test.each(refusals)('%d throws, with what refiner-sync said', async (status, expected) => {
    answer = () => refusalAnswer(new Refusal(status, '"userId" is missing'))
    const failure = await failureOf(load().onTrack(track, settings))
    expect(failure).toBeInstanceOf(expected)
    expect(String(failure)).toContain(`${status}: "userId" is missing`)
    expect(String(failure)).not.toContain(settings.apiKey)
  })

  const strangers: [number, string][] = [
    [200, '<h1>Welcome</h1>'],
    [200, '{}'],
    [404, ''],
    [408, 'null'],
    [429, '{"error":"slow down"}'],
    [502, '<h1>Bad Gateway</h1>'],
  ]

  test.each(strangers)('%d of something in between is tried again later', async (status, body) => {
    answer = () => new Response(body, { status })
    const failure = await failureOf(load().onTrack(track, settings))
    expect(failure).toBeInstanceOf(RetryError)
    expect(String(failure)).toContain(`${status}: not from refiner-sync`)
  })

  test('a redirect is not followed, and tried again later', async () => {
    answer = () => Response.redirect(new URL('/elsewhere', server.url).href, 301)
    const failure = await failureOf(load().onTrack(track, settings))
    expect(failure).toBeInstanceOf(RetryError)
    expect(received.map((request) => request.path)).toEqual(['/v1/segment'])
  })

  test('no answer is tried again later', async () => {
    await server.stop(true)
    const failure = await failureOf(load().onTrack(track, settings))
    expect(failure).toBeInstanceOf(RetryError)
    expect(String(failure)).not.toContain(settings.apiKey)
  })
})

test('the page shows the function as it is tested here', async () => {
  const page = await Bun.file(new URL('../../docs/segment.md', import.meta.url)).text()
  const shown = page.match(/```js\n(\/\* oxlint-disable[^]*?)```/)?.[1]
  expect(shown).toBe(code)
})
