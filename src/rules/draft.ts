import type { Call } from '../contracts/call.ts'
import type { JsonObject } from '../contracts/json.ts'

/** The messages of an interaction while rules change them. */
export interface InteractionDraft {
  /** The event name of the track; null sends none. */
  event: string | null
  /** The calls that are made, in order. */
  calls: readonly Call[]
  traits: JsonObject
  properties: JsonObject
  groupTraits: JsonObject
  /** What rules add to the context of every message. */
  context: JsonObject
  /** Under which names each answer stands. */
  readonly answers: Map<string, AnswerNames>
  /** Comes before the name of an answer among the traits. */
  readonly traitPrefix: string
  readonly emitted: EmittedMessage[]
  readonly outcome: RuleOutcome
}

export interface AnswerNames {
  readonly trait: string
  readonly property: string
}

/** A call for Refiner while rules change it. */
export interface EventDraft {
  /** Empty unless it is an event. */
  event: string
  traits: JsonObject
  groupTraits: JsonObject
  /** Which of the two a bare name means. */
  readonly bare: 'traits' | 'groupTraits'
  readonly outcome: RuleOutcome
}

/** What rules decided, apart from the messages themselves. */
export interface RuleOutcome {
  /** For which nothing is sent; null sends. */
  skip: string | null
  /** For which the delivery is dead; null when no rule asked for that. */
  failed: string | null
  /** Rules that failed and were left out. */
  readonly notes: string[]
}

export function noOutcome(): RuleOutcome {
  return { skip: null, failed: null, notes: [] }
}

/** A message of a rule's own making; null stands for what the interaction says. */
export interface EmittedMessage {
  readonly type: Call
  /** The name of its rule: part of its message ID. */
  readonly rule: string
  readonly event: string | null
  readonly userId: string | null
  readonly groupId: string | null
  readonly timestamp: string | null
  readonly traits: JsonObject | null
  readonly properties: JsonObject | null
  readonly context: JsonObject
  readonly fields: JsonObject
}
