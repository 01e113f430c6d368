/** The entry point of the thread that speaks HTTP: it reads and checks requests, and never waits for the disk. */
import { Doubts } from '../disk/doubts.ts'
import { WalSync } from '../disk/wal-sync.ts'
import { requestUrl } from '../http/request-url.ts'
import { IntakeRecord } from '../intake/intake-record.ts'
import { createIntake, createServer, type Intake } from '../intake/server.ts'
import type { Log, LogFields } from '../observe/log.ts'
import { IntakeMetrics } from '../observe/intake-metrics.ts'
import type { FromFront, FrontSettings, PlainAnswer, ToFront } from './messages.ts'
import { RemoteInbox } from './remote-inbox.ts'
import { WaitingRequests } from './waiting-requests.ts'

declare const self: Worker

const post = (message: FromFront): void => self.postMessage(message)
const inbox = new RemoteInbox(post)
const metrics = new IntakeMetrics()
const record = new IntakeRecord()
const say = (level: 'info' | 'warn' | 'error') => (fields: LogFields, message: string) =>
  post({ kind: 'log', level, fields, message })
/** What is said of each request is said by the main thread, if it is said at all. */
const log: Log = { debug() {}, info: say('info'), warn: say('warn'), error: say('error') }

/** Requests for the main thread that wait at once: each takes some of the time in which it keeps what comes. */
const MOST_ASKED = 64
const MONITORING = new Set(['/health', '/readyz', '/metrics'])
const monitored = new Map<string, Promise<PlainAnswer>>()
const TOO_MANY = { message: 'too many such requests at once; send it again' }

let intake: Intake = intakeOf({ server: { maxBodyBytes: 0 }, tenants: [] })
let isStopping = false
let lastAsked = 0
const asked = new Map<number, (answer: PlainAnswer) => void>()

const app = createServer({
  intake: () => intake,
  metrics,
  record,
  log,
  isStopping: () => isStopping,
  elsewhere,
})

self.addEventListener('message', ({ data }: MessageEvent<ToFront>) => {
  switch (data.kind) {
    case 'listen':
      inbox.share(
        new WalSync(data.disk.walPath, new Doubts(data.disk.doubts)),
        new WaitingRequests(data.waiting),
      )
      intake = intakeOf(data.settings)
      listen(data.hostname, data.port)
      return
    case 'configure':
      intake = intakeOf(data.settings)
      post({ kind: 'configured' })
      return
    case 'kept':
      void inbox.kept(data.id, data.stored, data.doubts)
      return
    case 'unkept':
      inbox.unkept(data.id, data.why)
      return
    case 'answered':
      asked.get(data.id)?.(data.answer)
      asked.delete(data.id)
      return
    case 'full':
      inbox.turnAway(data.ways)
      return
    case 'stopping':
      isStopping = true
      return
    case 'drain':
      void app.server?.stop().then(() => post({ kind: 'drained' }))
      return
    case 'close':
      void app.server?.stop(true).then(() => post({ kind: 'closed' }))
      return
  }
})

function intakeOf({ server, tenants }: FrontSettings): Intake {
  return createIntake(server, new Map(tenants.map((tenant) => [tenant.name, tenant])), inbox)
}

function listen(hostname: string, port: number): void {
  try {
    app.listen({ hostname, port })
    post({ kind: 'listening', port: app.server!.port! })
  } catch (error) {
    post({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
}

/** Who asks how it fares while somebody else's question is under way hears what they hear: anybody may ask, all the time. */
function shared(path: string, ask: () => Promise<PlainAnswer>): Promise<PlainAnswer> {
  let answer = monitored.get(path)
  if (answer === undefined) {
    answer = ask().finally(() => monitored.delete(path))
    monitored.set(path, answer)
  }
  return answer
}

function ask({ method, headers }: Request, url: string): Promise<PlainAnswer> {
  lastAsked += 1
  const { promise, resolve } = Promise.withResolvers<PlainAnswer>()
  asked.set(lastAsked, resolve)
  post({ kind: 'ask', id: lastAsked, request: { method, url, headers: [...headers] } })
  return promise
}

/** What the main thread answers to a request that is not for intake. */
async function elsewhere(request: Request): Promise<Response> {
  const { method } = request
  const { href, pathname } = requestUrl(request)
  if (asked.size >= MOST_ASKED)
    return Response.json(TOO_MANY, { status: 503, headers: { 'retry-after': '1' } })
  const isMonitoring = method === 'GET' && MONITORING.has(pathname)
  const answer = await (isMonitoring ? shared(pathname, () => ask(request, href)) : ask(request, href))
  return new Response(answer.status === 200 ? await withOwn(pathname, answer.body) : answer.body, {
    status: answer.status,
    headers: answer.headers.map(([name, value]) => [name, value]),
  })
}

/** An answer of the main thread, with what only this thread knows. */
async function withOwn(pathname: string, body: string): Promise<string> {
  switch (pathname) {
    case '/metrics':
      return `${body}\n${await metrics.text()}`
    case '/api/diagnosis':
      return JSON.stringify({ ...(JSON.parse(body) as object), intake: record.facts() })
    default:
      return body
  }
}
