import type { DeliveryCall } from '../contracts/delivery.ts'
import type { Interaction, JsonObject, JsonValue } from '../contracts/interaction.ts'

/**
 * Our message IDs. Segment removes copies by ID across a whole workspace, so the same interaction always has the same
 * ID and an updated response a new one. They are 40 hexadecimal digits after a prefix by which we know our own.
 */
const PREFIX = 'refiner-sync'

export const OWN_MESSAGE_ID = /^refiner-sync-[a-z]+-[0-9a-f]{40}$/

/** The ID of the message that `call` makes of an interaction; under 100 characters, Segment's limit. */
export function messageId(tenant: string, interaction: Interaction, call: DeliveryCall): string {
  const identity = JSON.stringify([
    tenant,
    subject(interaction),
    interaction.kind,
    revision(interaction),
    call,
  ])
  const digest = new Bun.CryptoHasher('sha256').update(identity).digest('hex').slice(0, 40)
  return `${PREFIX}-${call}-${digest}`
}

function subject({ kind, response, user, survey }: Interaction): JsonValue[] {
  if (response.uuid !== null && kind !== 'segment_entered') return [response.uuid]
  return [user.uuid, user.id, user.email, survey.uuid]
}

/**
 * What tells one state of a response from the next. Moments count in whole seconds, the finest that Refiner reports
 * them everywhere; the answers themselves tell apart what happens within one.
 */
function revision({ kind, response, answers, segments, occurredAt }: Interaction): JsonValue[] {
  const at = response.timestamps
  switch (kind) {
    case 'completed':
      return [wholeSeconds(at.completed_at), wholeSeconds(at.last_data_reception_at), ...canonical(answers)]
    case 'seen':
      return [wholeSeconds(at.last_shown_at)]
    case 'dismissed':
      return [wholeSeconds(at.dismissed_at ?? at.last_shown_at), ...canonical(answers)]
    case 'segment_entered':
      // Refiner does not say when; a user can leave a segment and enter it again.
      return [occurredAt, ...segments.map(({ uuid, name }) => uuid ?? name)]
    case 'tag_added':
      return (response.tags ?? []).map((tag) => JSON.stringify(tag))
  }
}

function wholeSeconds(iso: string | null): string | null {
  return iso === null ? null : iso.slice(0, 19)
}

/** The same for `9` and `"9"`, and whatever the order of the keys: Refiner's webhooks and its API differ there. */
function canonical(answers: JsonObject): string[] {
  return Object.entries(answers)
    .map(([name, value]) => JSON.stringify([name, asText(value)]))
    .sort()
}

function asText(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(asText)
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}
