import { RESPONSE_TIMESTAMPS } from '../contracts/interaction.ts'
import type { RefinerCall } from './refiner-stand-in.ts'
import type { TrackingMessage } from './segment-request.ts'

/** What arrived somewhere, in the few words that a reader of the demo needs. */
export interface Arrival {
  readonly at: 'Segment' | 'Refiner'
  /** Such as `identify` or `track-event`. */
  readonly call: string
  readonly who: string
  /** Such as an event's name, and the traits or properties as `name=value`. */
  readonly details: readonly string[]
}

/** Properties of our events that say little in a demo: IDs and moments. */
const LEFT_OUT: ReadonlySet<string> = new Set(['survey_uuid', 'response_uuid', ...RESPONSE_TIMESTAMPS])

export function describeMessage(message: TrackingMessage): Arrival {
  return {
    at: 'Segment',
    call: String(message.type),
    who: String(message.userId ?? message.anonymousId),
    details: messageDetails(message),
  }
}

export function describeCall({ path, body }: RefinerCall): Arrival {
  const { id, email, event, account, ...traits } = body
  return {
    at: 'Refiner',
    call: path.replace('/v1/', ''),
    who: String(id ?? email),
    details: [
      ...(event === undefined ? [] : [quoted(event)]),
      ...pairs(id === undefined ? traits : { email, ...traits }),
      ...pairs(account, 'account.'),
    ],
  }
}

function messageDetails({ type, event, groupId, traits, properties }: TrackingMessage): string[] {
  switch (type) {
    case 'track':
      return [quoted(event), ...pairs(properties).filter((pair) => !LEFT_OUT.has(nameOf(pair)))]
    case 'group':
      return pairs({ groupId, ...(isObject(traits) ? traits : {}) })
    default:
      return [...pairs(traits), ...pairs(properties)]
  }
}

function pairs(values: unknown, prefix = ''): string[] {
  if (!isObject(values)) return []
  return Object.entries(values)
    .filter(([, value]) => !isEmpty(value))
    .map(([name, value]) => `${prefix}${name}=${quoted(value)}`)
}

function nameOf(pair: string): string {
  return pair.slice(0, pair.indexOf('='))
}

function quoted(value: unknown): string {
  return JSON.stringify(value) ?? ''
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
