import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { isObject } from '../json/objects.ts'
import { joined } from './differences.ts'

/** What a rule or plugin did to one message, value by value. */
export interface MessageChange {
  readonly kind: 'added' | 'removed' | 'changed'
  /** The message, as it is after the step; one that was removed as it was before. */
  readonly message: JsonObject
  readonly values: readonly ValueChange[]
}

export interface ValueChange {
  /** Such as `traits.refiner_nps`. */
  readonly path: string
  /** Undefined where there was nothing. */
  readonly before: JsonValue | undefined
  /** Undefined where there is nothing any more. */
  readonly after: JsonValue | undefined
}

/** What a step did to the messages; nothing of those that it left as they were. */
export function messageChanges(before: readonly JsonObject[], after: readonly JsonObject[]): MessageChange[] {
  const partners = pairUp(before, after)
  const kept = new Set(partners.values())
  const removed = before.filter((message) => !kept.has(message))
  return [
    ...removed.map((message): MessageChange => ({ kind: 'removed', message, values: [] })),
    ...after.flatMap((message): MessageChange[] => {
      const partner = partners.get(message)
      if (partner === undefined) return [{ kind: 'added', message, values: valueChanges({}, message) }]
      const values = valueChanges(partner, message)
      return values.length === 0 ? [] : [{ kind: 'changed', message, values }]
    }),
  ]
}

/** Finds for messages after a step those that they were before: the same one, else of one event, else of one call. */
function pairUp(before: readonly JsonObject[], after: readonly JsonObject[]): Map<JsonObject, JsonObject> {
  const partners = new Map<JsonObject, JsonObject>()
  const [onlyBefore, onlyAfter] = [before[0], after[0]]
  // What goes to Refiner is one message, and may have a trait of any name.
  if (before.length === 1 && after.length === 1 && onlyBefore !== undefined && onlyAfter !== undefined) {
    return partners.set(onlyAfter, onlyBefore)
  }
  const free = new Set(before)
  for (const likeness of LIKENESSES) {
    for (const message of after) {
      if (partners.has(message)) continue
      const partner = [...free].find((candidate) => likeness(candidate) === likeness(message))
      if (partner === undefined) continue
      partners.set(message, partner)
      free.delete(partner)
    }
  }
  return partners
}

const LIKENESSES: readonly ((message: JsonObject) => string)[] = [
  (message) => JSON.stringify(message),
  ({ type, event }) => JSON.stringify([type ?? null, event ?? null]),
  ({ type }) => JSON.stringify([type ?? null]),
]

function valueChanges(before: JsonObject, after: JsonObject): ValueChange[] {
  const old = leavesOf(before)
  const now = leavesOf(after)
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((path) => {
    const change = { path, before: old.get(path), after: now.get(path) }
    return JSON.stringify(change.before) === JSON.stringify(change.after) ? [] : [change]
  })
}

/** The values of an object that are no objects themselves, by their paths. */
export function leavesOf(object: JsonObject, path = ''): Map<string, JsonValue> {
  const leaves = new Map<string, JsonValue>()
  for (const [name, value] of Object.entries(object)) {
    const own = joined(path, name)
    if (isObject(value)) for (const [inner, leaf] of leavesOf(value, own)) leaves.set(inner, leaf)
    else leaves.set(own, value)
  }
  return leaves
}
