import type { InteractionKind } from '../contracts/configuration.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import { epochMs } from '../json/timestamps.ts'

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
  return TRIGGERS.filter(
    ([kind, moment]) =>
      kinds.has(kind) && isTold(item[moment]) && (kind !== 'dismissed' || isAsDismissed(item)),
  ).map(([, , trigger]) => webhookBodyOf(item, trigger))
}

/** Whatever form a moment has it says that it happened, but for what stands for none. */
function isTold(moment: JsonValue | undefined): boolean {
  return moment !== undefined && moment !== null && moment !== '' && moment !== false
}

/**
 * Whether the answers are those of its dismissal. With answers that came later it would look like another dismissal than
 * the one that its webhook told of, and be sent a second time.
 */
function isAsDismissed({ dismissed_at, last_data_reception_at, completed_at }: JsonObject): boolean {
  const dismissed = wholeSeconds(dismissed_at)
  return [last_data_reception_at, completed_at].every((later) => !(wholeSeconds(later) > dismissed))
}

/** As both forms of Refiner's moments have them; NaN where there is none. */
function wholeSeconds(moment: JsonValue | undefined): number {
  return Math.floor((epochMs(moment) ?? NaN) / 1000)
}

function object(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}
