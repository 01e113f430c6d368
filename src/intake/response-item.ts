import type { InteractionKind } from '../contracts/configuration.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'

/** What happens with a survey, in that order, by what tells that it did, and by Refiner's name for it. */
const TRIGGERS: readonly (readonly [kind: InteractionKind, moment: string, trigger: string])[] = [
  ['seen', 'last_shown_at', 'Saw Survey'],
  ['dismissed', 'dismissed_at', 'Dismissed Survey'],
  ['completed', 'completed_at', 'Completed Survey'],
]

/** The webhook body that Refiner sends for what a response of its REST API tells. */
export function webhookBodyOf(item: JsonObject, triggeredEvent: string): JsonObject {
  const { contact, form, ...response } = item
  return { ...object(contact), triggered_event: triggeredEvent, form: form ?? null, response }
}

/** The webhook bodies for all of these kinds that it tells of, in the order in which they happened. */
export function webhookBodiesOf(item: JsonObject, kinds: ReadonlySet<InteractionKind>): JsonObject[] {
  return TRIGGERS.filter(([kind, moment]) => kinds.has(kind) && (item[moment] ?? null) !== null).map(
    ([, , trigger]) => webhookBodyOf(item, trigger),
  )
}

function object(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}
