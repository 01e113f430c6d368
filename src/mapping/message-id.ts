import type { DeliveryCall } from '../contracts/delivery.ts'
import type { Interaction } from '../contracts/interaction.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'

/**
 * Our message IDs. Segment removes copies by ID across a whole workspace, so the same interaction always has the same
 * ID and an updated response a new one. After a prefix by which we know our own they are 32 hexadecimal digits that
 * the messages of an interaction share, the call, and 16 digits for the message. What is shared comes first: so the IDs
 * of an interaction stand side by side in the database's index, and cost one page to write instead of one each.
 */
const PREFIX = 'refiner-sync'

export const OWN_MESSAGE_ID = /^refiner-sync-[0-9a-f]{32}-[a-z]+-[0-9a-f]{16}$/

/** The IDs of the messages that an interaction makes; under 100 characters each, Segment's limit. */
export class MessageIds {
  readonly #shared: string

  constructor(tenant: string, interaction: Interaction) {
    const whole = JSON.stringify([tenant, subject(interaction), interaction.kind, revision(interaction)])
    this.#shared = Bun.SHA256.hash(whole, 'hex').slice(0, 32)
  }

  /** What the IDs of all its messages begin with. */
  get prefix(): string {
    return `${PREFIX}-${this.#shared}-`
  }

  /**
   * The ID of one message that `call` makes. `about` is whom the message is about, a response whose contact is
   * identified later being news to Segment, and whatever else tells it from the others.
   */
  of(call: DeliveryCall, about: readonly (string | null)[]): string {
    return ownMessageId(this.#shared, call, JSON.stringify(about))
  }
}

/** The ID of a message of ours: `shared` are 32 hexadecimal digits, `call` small letters, `about` tells it from others. */
export function ownMessageId(shared: string, call: string, about: string): string {
  const own = Bun.SHA256.hash(`${shared}${call}${about}`, 'hex').slice(0, 16)
  return `${PREFIX}-${shared}-${call}-${own}`
}

function subject({ kind, response, user, survey }: Interaction): JsonValue[] {
  if (response.uuid !== null && kind !== 'segment_entered') return [response.uuid]
  return [user.uuid, user.id, user.email, survey.uuid]
}

/**
 * What tells one state of a response from the next. Moments count in whole seconds, the finest that Refiner reports
 * them everywhere; the answers themselves tell apart what happens within one. Where Refiner gives no moment, the report
 * itself stands for it: the same bytes are the same interaction.
 */
function revision(interaction: Interaction): JsonValue[] {
  const { kind, response, answers, fingerprint } = interaction
  const at = response.timestamps
  switch (kind) {
    case 'completed': {
      const known = [wholeSeconds(at.completed_at), wholeSeconds(at.last_data_reception_at)]
      const moments = known.every((moment) => moment === null) ? [...known, otherMoment(interaction)] : known
      return [...moments, ...canonical(answers)]
    }
    case 'seen':
      return [wholeSeconds(at.last_shown_at) ?? otherMoment(interaction)]
    case 'dismissed':
      return [
        wholeSeconds(at.dismissed_at ?? at.last_shown_at) ?? otherMoment(interaction),
        ...canonical(answers),
      ]
    case 'segment_entered':
    case 'tag_added':
      return [fingerprint]
  }
}

/** Where the moments that count are missing: whichever else the report gives, or the report. */
function otherMoment({ fingerprint, occurredAt }: Interaction): string | null {
  return fingerprint ?? wholeSeconds(occurredAt)
}

function wholeSeconds(iso: string | null): string | null {
  return iso === null ? null : iso.slice(0, 19)
}

/** The same for `9` and `"9"`, and whatever the order of the keys: Refiner's webhooks and its API differ there. */
function canonical(answers: JsonObject): string[] {
  const texts: string[] = []
  for (const name in answers) texts.push(JSON.stringify([name, asText(answers[name]!)]))
  return texts.sort()
}

function asText(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(asText)
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}
