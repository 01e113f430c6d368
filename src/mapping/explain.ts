import type { Interaction } from '../contracts/interaction.ts'
import type { JsonObject } from '../contracts/json.ts'
import type { PluginHost } from '../contracts/plugin-host.ts'
import type { SegmentMessage } from '../contracts/segment-message.ts'
import type { RuleResult } from '../rules/apply-rules.ts'
import type { CompiledBase } from '../rules/compiled-rules.ts'
import { whyNot } from '../rules/conditions.ts'
import type { EventDraft } from '../rules/draft.ts'
import type { RuleBase, RuleDirection } from '../contracts/rules.ts'
import {
  isUnfinished,
  type Item,
  type Mapped,
  mapItem,
  type MappingWatch,
  type Unfinished,
} from './map-item.ts'
import { afterCall, finish } from './map-items.ts'
import { pluginCall } from './plugin-calls.ts'
import { readRefinerWebhook } from './refiner-webhook.ts'
import { type MessageParts, segmentMessages } from './segment-messages.ts'
import type { TenantMapping } from './tenant-mapping.ts'
import { refinerBody } from './to-refiner.ts'

/** What an item becomes, and how. */
export interface Explanation {
  /** In words, such as `completed, survey "Product NPS"`. */
  readonly subject: string
  /** The messages before any rule, as JSON objects without their IDs. */
  readonly start: readonly JsonObject[]
  /** Rules, then plugins, in order. */
  readonly steps: readonly Step[]
  readonly mapped: Mapped
}

/** What a rule or plugin did. */
export interface Step {
  readonly kind: 'rule' | 'plugin'
  readonly name: string
  /** As `refiner-sync.yaml:31:11`. */
  readonly place: string
  /** `not_matched`: its `when` was false. `not_reached`: a rule before it stopped or skipped. */
  readonly result: 'applied' | 'not_matched' | 'not_reached' | 'skipped' | 'failed'
  /** Why it did not match, skipped, or failed, in words; null when it was applied. */
  readonly why: string | null
  /** The messages after it. */
  readonly messages: readonly JsonObject[]
}

/** Maps one item as `mapItems` does, and tells how it came about. Without rules, `start` is what it came to. */
export async function explainItem(
  item: Item,
  mapping: TenantMapping,
  plugins: PluginHost,
): Promise<Explanation> {
  const { watch, start, steps } = watching()
  let stage: Mapped | Unfinished = mapItem(item, mapping, watch)
  const first = start() ?? messagesOf(stage)
  for (const plugin of mapping.tenant.toSegment.plugins) {
    if (!isUnfinished(stage)) break
    const [result] = await plugins.call(plugin, mapping.tenant.name, [
      pluginCall(stage.parts, stage.messages, item.payload),
    ])
    if (result === undefined) break
    const after = afterCall(plugin, stage, result)
    steps.push(pluginStep(plugin, after))
    stage = after
  }
  const mapped = isUnfinished(stage) ? finish(stage) : stage
  return { subject: subjectOf(item), start: first, steps, mapped }
}

function watching() {
  const steps: Step[] = []
  let start: readonly JsonObject[] | null = null
  let variables: object = {}
  let now: () => readonly JsonObject[] = () => []
  const rule =
    (direction: RuleDirection) =>
    ({ rule, when }: CompiledBase<RuleBase>, { result, why }: RuleResult) => {
      const reason = result === 'not_matched' && when !== null ? whyNot(direction, when, variables) : why
      const messages = result === 'skipped' ? [] : now()
      steps.push({ kind: 'rule', name: rule.name, place: rule.place, result, why: reason, messages })
    }
  const watch: MappingWatch = {
    interaction: {
      start(parts: MessageParts, seen: object) {
        variables = seen
        now = () => segmentMessages(parts).map(withoutId)
        start = now()
      },
      rule: rule('to_segment'),
    },
    event: {
      start(message: SegmentMessage, draft: EventDraft, seen: object) {
        variables = seen
        now = () => [structuredClone(refinerBody(message, draft))]
        start = now()
      },
      rule: rule('to_refiner'),
    },
  }
  return { watch, steps, start: () => start }
}

function pluginStep(plugin: string, after: Mapped | Unfinished): Step {
  const shared = { kind: 'plugin', name: plugin, place: '' } as const
  if (isUnfinished(after)) {
    return { ...shared, result: 'applied', why: null, messages: after.messages.map(withoutId) }
  }
  const [delivery] = after.deliveries
  const why = [delivery?.reason, delivery?.detail]
    .filter((text) => text !== null && text !== undefined)
    .join(': ')
  return { ...shared, result: delivery?.state === 'skipped' ? 'skipped' : 'failed', why, messages: [] }
}

function messagesOf(stage: Mapped | Unfinished): JsonObject[] {
  if (isUnfinished(stage)) return stage.messages.map(withoutId)
  return stage.deliveries.flatMap(({ payload }) => {
    return payload === null ? [] : [withoutId(JSON.parse(payload) as JsonObject)]
  })
}

function withoutId(message: JsonObject): JsonObject {
  const copy = structuredClone(message)
  delete copy['messageId']
  return copy
}

function subjectOf(item: Item): string {
  if (item.source === 'segment') {
    const { type, event } = JSON.parse(item.payload) as SegmentMessage
    return event === undefined ? `a Segment ${type}` : `a Segment ${type}, ${JSON.stringify(event)}`
  }
  const interaction: Interaction | { unreadable: string } = readRefinerWebhook(item.payload, item.receivedAt)
  if ('unreadable' in interaction) return 'a webhook that is not understood'
  const { kind, survey } = interaction
  return `${kind.replace('_', ' ')}, survey ${JSON.stringify(survey.name ?? survey.uuid ?? 'unnamed')}`
}
