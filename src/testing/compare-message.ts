import type { JsonObject } from '../contracts/json.ts'
import { type Difference, differences } from './differences.ts'
import type { SentMessage } from './sent-message.ts'

const CALLS: ReadonlySet<unknown> = new Set(['identify', 'group', 'track'])

/** What every message of ours has: an exact expectation does not have to repeat it. */
const SAID_OF_ALL = ['messageId', 'timestamp', 'context', 'integrations']

/**
 * Where a message is not what was expected. An expectation may name the call as `type` or as `call`.
 *
 * @param exact whether no other field, trait or property may be there; fields that all messages have may
 */
export function compareMessage(expected: JsonObject, message: SentMessage, exact: boolean): Difference[] {
  const seen = asNamedBy(expected, message)
  if (!exact) return differences(expected, seen, 'partial')
  if (message.destination === 'refiner') return differences(expected, seen, 'exact')
  const loose = differences(only(expected, SAID_OF_ALL), only(seen, SAID_OF_ALL), 'partial')
  // No traits and empty traits are the same to Segment, and to one who reads the test.
  const strict = differences(
    filled(without(expected, SAID_OF_ALL)),
    filled(without(seen, SAID_OF_ALL)),
    'exact',
  )
  return [...strict, ...loose]
}

function filled({ traits, properties, ...others }: JsonObject): JsonObject {
  return { ...others, traits: traits ?? {}, properties: properties ?? {} }
}

/** Whether the expectation asks for this call, and for this event if it names one. */
export function isSameKind(expected: JsonObject, message: SentMessage): { call: boolean; event: boolean } {
  const { event } = message.body
  const wanted = expected[nameOfCall(expected, message)] ?? null
  return {
    call: wanted === null || wanted === message.call,
    event: (expected['event'] ?? null) === null || expected['event'] === event,
  }
}

/** The message with its call under the name that the expectation uses. */
function asNamedBy(expected: JsonObject, message: SentMessage): JsonObject {
  const name = nameOfCall(expected, message)
  // What goes to Refiner says its call by the URL, and may have a trait of either name.
  const body = message.destination === 'segment' ? without(message.body, ['type']) : message.body
  return { ...body, [name]: message.call }
}

function nameOfCall(expected: JsonObject, { destination }: SentMessage): 'type' | 'call' {
  const isCall = (name: string) => Object.hasOwn(expected, name) && CALLS.has(expected[name])
  if (destination === 'segment') return isCall('type') || !isCall('call') ? 'type' : 'call'
  return isCall('type') && !Object.hasOwn(expected, 'call') ? 'type' : 'call'
}

function without(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
}

function only(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => names.includes(name)))
}
