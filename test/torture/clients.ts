/**
 * Thousands of clients that send next to nothing, and never end, beside one that sends as Segment does:
 * `bun test/torture/clients.ts --connections 10000 --seconds 60`. A third drips its headers, a third a body of announced
 * length, a third a chunked one. Fails when an honest request is refused or takes longer than Segment waits, when the
 * daemon's memory grows beyond its bound, or when slow clients are never let go. Needs twice as many open files as connections.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Socket } from 'bun'
import { FROM_SOURCE, run, workplace } from '../support/process.ts'
import { basic } from '../support/loop.ts'

/** Segment gives a destination this long. */
const SEGMENT_WAITS_MS = 5000
/** Beyond what the daemon had before, for each slow connection; the rest is what honest traffic takes. */
const MOST_BYTES_A_CONNECTION = 24 * 1024
const MOST_BYTES_BESIDE = 120 * 1024 * 1024
const DRIP_MS = 2000
/** Connections that are opened at once, so that the queue of the listening socket is not what is measured. */
const WAVE = 400

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '60' },
  },
})
const connections = Number(values.connections)
const seconds = Number(values.seconds)
if (!(connections > 0 && seconds > 0)) throw new Error('--connections and --seconds take a number over 0')

type Manner = 'headers' | 'announced body' | 'chunked body'
const MANNERS: readonly Manner[] = ['headers', 'announced body', 'chunked body']

interface Slow {
  readonly manner: Manner
  readonly openedAt: number
  answer: string
}

const key = basic('acme-destination-key')
const START = `POST /v1/segment HTTP/1.1\r\nhost: localhost\r\nauthorization: ${key['authorization']}\r\n`
const HEADS: Readonly<Record<Manner, string>> = {
  headers: START,
  'announced body': `${START}content-length: 100000\r\n\r\n`,
  'chunked body': `${START}transfer-encoding: chunked\r\n\r\n`,
}
const DRIPS: Readonly<Record<Manner, string>> = {
  headers: 'x-drip: 1\r\n',
  'announced body': ' ',
  'chunked body': '1\r\n \r\n',
}

using place = workplace({ segment: 'http://127.0.0.1:9', refiner: 'http://127.0.0.1:9' })
const daemon = run(FROM_SOURCE, [], place.folder)
const url = await daemon.url()
const port = Number(new URL(url).port)
const open = new Set<Socket<Slow>>()
const lives: Record<Manner, number[]> = { headers: [], 'announced body': [], 'chunked body': [] }
const answers = new Map<string, number>()
let failedToOpen = 0

const residentBytes = () => {
  const status = readFileSync(`/proc/${daemon.process.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024
}

async function openOne(manner: Manner): Promise<void> {
  try {
    await Bun.connect<Slow>({
      hostname: '127.0.0.1',
      port,
      data: { manner, openedAt: performance.now(), answer: '' },
      socket: {
        open(socket) {
          open.add(socket)
          socket.write(HEADS[manner])
        },
        data(socket, bytes) {
          socket.data.answer ||= bytes.toString('utf8').split('\r\n', 1)[0]!
        },
        close: ended,
        error: ended,
      },
    })
  } catch {
    failedToOpen += 1
  }
}

function ended(socket: Socket<Slow>): void {
  if (!open.delete(socket)) return
  const { manner, openedAt, answer } = socket.data
  lives[manner].push((performance.now() - openedAt) / 1000)
  const told = `${manner}: ${answer === '' ? 'closed without an answer' : answer}`
  answers.set(told, (answers.get(told) ?? 0) + 1)
}

const before = residentBytes()
let peak = before
const latencies: number[] = []
const refusals: string[] = []
let sent = 0
async function honest(): Promise<void> {
  const started = performance.now()
  const body = {
    type: 'identify',
    userId: `user-${sent % 100}`,
    messageId: `honest-${sent}`,
    traits: { n: sent },
  }
  sent += 1
  try {
    const response = await fetch(`${url}/v1/segment`, {
      method: 'POST',
      headers: key,
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(2 * SEGMENT_WAITS_MS),
    })
    await response.arrayBuffer()
    if (response.status !== 200) refusals.push(String(response.status))
  } catch (error) {
    refusals.push(error instanceof Error ? error.name : 'unknown')
  }
  latencies.push(performance.now() - started)
  peak = Math.max(peak, residentBytes())
}

const end = performance.now() + seconds * 1000
let lastDrip = performance.now()
let mostOpen = 0
let nextManner = 0
let opened = 0
const honestClient = (async () => {
  while (performance.now() < end) {
    await honest()
    await Bun.sleep(20)
  }
})()
while (performance.now() < end) {
  drip()
  // An attacker opens anew what is closed.
  const missing = Math.min(WAVE, connections - open.size)
  opened += missing
  await Promise.all([
    Bun.sleep(missing > 0 ? 0 : 50),
    ...Array.from({ length: missing }, () => openOne(MANNERS[nextManner++ % 3]!)),
  ])
}
await honestClient
const ends = Object.fromEntries(answers)
const alive = daemon.process.exitCode === null
for (const socket of open) socket.terminate()
daemon.process.kill('SIGKILL')
await daemon.process.exited

function drip(): void {
  mostOpen = Math.max(mostOpen, open.size)
  if (performance.now() - lastDrip < DRIP_MS) return
  lastDrip = performance.now()
  for (const socket of open) socket.write(DRIPS[socket.data.manner])
}

const sorted = latencies.toSorted((a, b) => a - b)
const at = (share: number) =>
  Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!)
const bound = before + MOST_BYTES_BESIDE + connections * MOST_BYTES_A_CONNECTION
const mb = (bytes: number) => Math.round(bytes / 1024 / 1024)
console.log({
  connections,
  seconds,
  most_open: mostOpen,
  failed_to_open: failedToOpen,
  opened_in_all: opened,
  longest_life_s: Object.fromEntries(
    MANNERS.map((manner) => [manner, Math.round(Math.max(0, ...lives[manner]))]),
  ),
  ends,
  honest_requests: latencies.length,
  honest_refused: refusals.length,
  honest_ms: { p50: at(0.5), p99: at(0.99), longest: at(1) },
  resident_mb: { before: mb(before), peak: mb(peak), bound: mb(bound) },
})
const problems = [
  !alive && 'the daemon ended',
  refusals.length > 0 && `honest requests were refused: ${[...new Set(refusals)].join(', ')}`,
  at(1) > SEGMENT_WAITS_MS && 'an honest request took longer than Segment waits',
  peak > bound && 'the memory grew beyond its bound',
  mostOpen < connections * 0.9 && 'not as many connections were had as asked for: raise `ulimit -n`',
].filter((problem) => problem !== false)
for (const problem of problems) console.error(`FAILED: ${problem}`)
process.exit(problems.length > 0 ? 1 : 0)
