import type { Health } from '../contracts/health.ts'
import { type Arrival, describeCall, describeMessage } from './describe.ts'
import type { Palette } from './palette.ts'
import type { RefinerCall } from './refiner-stand-in.ts'
import type { TrackingMessage } from './segment-request.ts'

/** Columns; what is longer goes on in the next line. */
const WIDTH = 100
const STEP_INDENT = '     '
const ARRIVAL_INDENT = '       '
const CALL_WIDTH = { Segment: 'identify'.length, Refiner: 'identify-user'.length } as const
const WHO_WIDTH = 'user-1042'.length

/** How the daemon answered a request of the play. */
export interface Answer {
  readonly status: number
  /** Of a refusal: the message that Segment would show. */
  readonly message: string | null
}

/** Tells on the terminal what the demo does, line by line. */
export interface Narrator {
  line(text?: string): void
  heading(text: string): void
  /** Begins a step: what arrives from now on is told after the answer to the step's request. */
  step(title: string): void
  answered(path: string, answer: Answer): void
  atSegment(message: TrackingMessage, dropped: string | null): void
  atRefiner(call: RefinerCall): void
  health(status: number, health: Health): void
  /** How many came in and went out in one direction. */
  count(direction: string, counted: string): void
  failure(text: string): void
}

export function createNarrator(print: (line: string) => void, palette: Palette): Narrator {
  let steps = 0
  /** Arrivals that overtook the answer to the request that caused them; null outside of a step. */
  let held: Arrival[] | null = null

  const tell = (arrival: Arrival) => {
    for (const line of arrivalLines(arrival, palette)) print(line)
  }
  const arrive = (arrival: Arrival) => {
    if (held === null) tell(arrival)
    else held.push(arrival)
  }

  return {
    line: (text = '') => print(text),
    heading(text) {
      print('')
      print(palette.heading(text))
    },
    step(title) {
      steps += 1
      held = []
      print('')
      print(`  ${palette.strong(`${steps}  ${title}`)}`)
    },
    answered(path, answer) {
      for (const line of answerLines(path, answer, palette)) print(line)
      const overtook = held ?? []
      held = null
      for (const arrival of overtook) tell(arrival)
    },
    atSegment(message, dropped) {
      const arrival = describeMessage(message)
      arrive(dropped === null ? arrival : { ...arrival, details: [`(dropped by Segment: ${dropped})`] })
    },
    atRefiner: (call) => arrive(describeCall(call)),
    health: (status, health) => print(`  ${healthLine(status, health, palette)}`),
    count: (direction, counted) => print(`  ${palette.quiet(direction)}  ${counted}`),
    failure: (text) => print(palette.bad(`  ✗ ${text}`)),
  }
}

/** `POST /v1/segment → 200, stored on disk`, or a refusal with its message, wrapped below. */
function answerLines(path: string, { status, message }: Answer, palette: Palette): string[] {
  const request = `${STEP_INDENT}${palette.quiet('POST')} ${path} ${palette.quiet('→')}`
  if (status === 200) return [`${request} ${palette.good('200')}${palette.quiet(', stored on disk')}`]
  const words = wrapped((message ?? '').split(' '), WIDTH - ARRIVAL_INDENT.length)
  return [
    `${request} ${palette.refused(String(status))}`,
    ...words.map((line) => `${ARRIVAL_INDENT}${palette.refused(line.join(' '))}`),
  ]
}

function healthLine(status: number, { status: health, problems, tenants }: Health, palette: Palette): string {
  const all = Object.values(tenants)
  const pending = all.reduce((sum, tenant) => sum + tenant.pending, 0)
  const dead = all.reduce((sum, tenant) => sum + tenant.dead, 0)
  const paint = health === 'ok' ? palette.good : palette.refused
  const counts = `${pending} waiting, ${dead} given up`
  return `GET /health ${palette.quiet('→')} ${paint(`${status} ${health}`)}, ${[counts, ...problems].join('; ')}`
}

/** `→ Segment  identify  user-1042  refiner_nps="9" …`, wrapped under itself. */
function arrivalLines({ at, call, who, details }: Arrival, palette: Palette): string[] {
  const colour = at === 'Segment' ? palette.segment : palette.refiner
  const columns = [call.padEnd(CALL_WIDTH[at]), who.padEnd(WHO_WIDTH), ''].join('  ')
  const head = `→ ${at}  ${columns}`
  const paintedHead = `→ ${colour(at)}  ${columns}`
  const [first = [], ...rest] = wrapped(details, WIDTH - ARRIVAL_INDENT.length - head.length)
  const hanging = ' '.repeat(head.length)
  return [
    `${ARRIVAL_INDENT}${paintedHead}${paintDetails(first, palette)}`.trimEnd(),
    ...rest.map((line) => `${ARRIVAL_INDENT}${hanging}${paintDetails(line, palette)}`),
  ]
}

function wrapped(words: readonly string[], width: number): string[][] {
  const lines: string[][] = []
  let left = 0
  for (const word of words) {
    const line = lines.at(-1)
    if (line === undefined || word.length + 1 > left) {
      lines.push([word])
      left = width - word.length
    } else {
      line.push(word)
      left -= word.length + 1
    }
  }
  return lines
}

function paintDetails(details: readonly string[], palette: Palette): string {
  return details.map((detail) => detail.replace(/^[\w.]+=/, (name) => palette.quiet(name))).join(' ')
}
