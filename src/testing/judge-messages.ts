import type { JsonObject } from '../contracts/json.ts'
import { compareMessage, isSameKind } from './compare-message.ts'
import type { Difference } from './differences.ts'
import { type SentMessage, titleOf } from './sent-message.ts'

/** One thing that is not as a test wants it. */
export interface Failure {
  /** What, in words. */
  readonly message: string
  /** Where the message that comes closest differs; empty where there is none to compare with. */
  readonly differences: readonly Difference[]
}

/** Whether the expected messages came: in this order, among others. Nothing expected asks for no message at all. */
export function judgeMessages(
  expected: readonly JsonObject[],
  messages: readonly SentMessage[],
  exact: boolean,
): Failure[] {
  if (expected.length === 0) return messages.map(unexpected)
  return exact ? judgeAll(expected, messages) : judgeSome(expected, messages, false)
}

/** All messages one by one, or, where there are more or fewer than expected, those that are too many or missing. */
function judgeAll(expected: readonly JsonObject[], messages: readonly SentMessage[]): Failure[] {
  if (expected.length !== messages.length) {
    const count = `${messages.length} messages came where ${expected.length} are expected`
    const failures = judgeSome(expected, messages, true)
    const taken = new Set(placesOf(expected, messages, true))
    const others = messages.flatMap((message, index) =>
      taken.has(index) ? [] : [unexpected(message, index)],
    )
    // Where something is missing, what is there instead is compared with it.
    return [{ message: count, differences: [] }, ...failures, ...(failures.length > 0 ? [] : others)]
  }
  return expected.flatMap((wanted, index) => {
    const message = messages[index]!
    const found = compareMessage(wanted, message, true)
    const title = `message ${index + 1}, ${titleOf(message)}, is not as expected`
    return found.length === 0 ? [] : [{ message: title, differences: found }]
  })
}

function judgeSome(
  expected: readonly JsonObject[],
  messages: readonly SentMessage[],
  exact: boolean,
): Failure[] {
  const places = placesOf(expected, messages, exact)
  const taken = new Set(places)
  return expected.flatMap((wanted, index) => {
    if (places[index] !== null) return []
    const title = `expected message ${index + 1} did not come: ${wordsFor(wanted)}`
    const early = messages.findIndex((message) => compareMessage(wanted, message, exact).length === 0)
    if (early >= 0 && !taken.has(early)) {
      return [{ message: `${title}; it came too early, as message ${early + 1}`, differences: [] }]
    }
    const free = messages.map((_, place) => place).filter((place) => !taken.has(place))
    const nearest = nearestOf(wanted, messages, free.length > 0 ? free : [...messages.keys()], exact)
    if (nearest === null) return [{ message: title, differences: [] }]
    const { place, found } = nearest
    return [
      {
        message: `${title}; closest is message ${place + 1}, ${titleOf(messages[place]!)}`,
        differences: found,
      },
    ]
  })
}

/**
 * Which message each expected one is: the first that fits after the one before. To take the first is never wrong, for
 * it leaves the most for those that follow. Null for one that does not come.
 */
function placesOf(
  expected: readonly JsonObject[],
  messages: readonly SentMessage[],
  exact: boolean,
): (number | null)[] {
  let next = 0
  return expected.map((wanted) => {
    const place = messages.findIndex(
      (message, index) => index >= next && compareMessage(wanted, message, exact).length === 0,
    )
    if (place < 0) return null
    next = place + 1
    return place
  })
}

/** The message that comes closest: of the same call and event before all, then with the fewest differences. */
function nearestOf(
  wanted: JsonObject,
  messages: readonly SentMessage[],
  places: readonly number[],
  exact: boolean,
): { place: number; found: Difference[] } | null {
  const [best] = places
    .map((place) => {
      const message = messages[place]!
      const found = compareMessage(wanted, message, exact)
      const { call, event } = isSameKind(wanted, message)
      return { place, found, rank: [call ? 0 : 1, event ? 0 : 1, found.length] }
    })
    .toSorted((one, other) => compareRanks(one.rank, other.rank))
  return best ?? null
}

function compareRanks(one: readonly number[], other: readonly number[]): number {
  for (const [index, value] of one.entries()) if (value !== other[index]) return value - other[index]!
  return 0
}

function unexpected(message: SentMessage, index: number): Failure {
  return { message: `message ${index + 1} is not expected: ${titleOf(message)}`, differences: [] }
}

function wordsFor({ type, call, event }: JsonObject): string {
  const kind = [call, type].find((name) => typeof name === 'string') ?? 'any call'
  return typeof event === 'string' ? `${kind} ${JSON.stringify(event)}` : kind
}
