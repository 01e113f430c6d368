import type { NewDelivery } from '../contracts/delivery.ts'
import type { Interaction } from '../contracts/interaction.ts'
import type { JsonObject, JsonValue } from '../contracts/json.ts'
import type { PluginInteraction } from '../contracts/plugin.ts'
import type { PluginCall, PluginResult } from '../contracts/plugin-host.ts'
import { readReturned, writeFields } from '../json/fields.ts'
import { skippedDelivery } from './segment-deliveries.ts'
import { commonFields, key, type Message, type MessageParts, userKeyOf } from './segment-messages.ts'
import { isObject } from '../json/objects.ts'

/** What a plugin made of an interaction. */
export type AfterPlugin =
  | { readonly kind: 'messages'; readonly messages: readonly Message[] }
  | { readonly kind: 'skipped'; readonly delivery: NewDelivery }
  | { readonly kind: 'failed'; readonly reason: string; readonly detail: string | null }

/** @param payload what Refiner sent, as JSON text */
export function pluginCall(parts: MessageParts, messages: readonly Message[], payload: string): PluginCall {
  return {
    interaction: writeFields(interactionForPlugins(parts.interaction)),
    messages: messages.map(writeFields),
    body: payload,
  }
}

/** Reads what a plugin answered; what is no message of Segment\'s spec is the plugin\'s failure. */
export function afterPlugin(
  plugin: string,
  result: PluginResult,
  given: readonly Message[],
  parts: MessageParts,
  notes: string | null,
): AfterPlugin {
  switch (result.kind) {
    case 'skipped':
      // What it says may be made of what was answered.
      return skip(`plugin ${plugin} skipped it`, result.reason, parts, notes)
    case 'failed':
      return { kind: 'failed', reason: `plugin ${plugin}: ${result.reason}`, detail: result.detail }
    case 'messages': {
      if (result.messages.length === 0)
        return skip(`plugin ${plugin} left nothing to send`, null, parts, notes)
      const reader = new MessageReader(plugin, given, parts)
      const messages: Message[] = []
      for (const [index, item] of result.messages.entries()) {
        const message = reader.read(readReturned(item, given))
        if (typeof message === 'string') {
          const reason = `plugin ${plugin}: message ${index + 1} of those it returned ${message}`
          return { kind: 'failed', reason, detail: null }
        }
        messages.push(message)
      }
      return { kind: 'messages', messages }
    }
  }
}

function skip(
  reason: string,
  detail: string | null,
  { interaction, ids }: MessageParts,
  notes: string | null,
): AfterPlugin {
  return { kind: 'skipped', delivery: { ...skippedDelivery(interaction, ids, reason, notes), detail } }
}

class MessageReader {
  /** IDs of messages that the plugin was given and has not returned yet. */
  readonly #known: Set<string>
  readonly #given: ReadonlySet<unknown>
  readonly #made = new Map<string, number>()

  constructor(
    private readonly plugin: string,
    given: readonly Message[],
    private readonly parts: MessageParts,
  ) {
    this.#known = new Set(given.map((message) => message.messageId))
    this.#given = new Set(given)
  }

  /** The message, with what it leaves out filled in; or what is wrong with it, to complete "message 2 …". */
  read(value: Message | JsonValue): Message | string {
    if (this.#given.has(value) && this.#known.delete((value as Message).messageId)) return value as Message
    if (!isObject(value)) return 'is no object'
    return this.#read(Object.fromEntries(Object.entries(value).filter(([, content]) => content !== null)))
  }

  #read(value: JsonObject): Message | string {
    const { type } = value
    if (type !== 'identify' && type !== 'group' && type !== 'track') {
      return 'has a type other than identify, group and track'
    }
    for (const field of ['userId', 'anonymousId', 'groupId', 'event', 'timestamp']) {
      const content = value[field]
      if (content !== undefined && typeof content !== 'string') {
        return `has a ${field} that is no text`
      }
    }
    for (const field of ['traits', 'properties', 'context', 'integrations']) {
      if (value[field] !== undefined && !isObject(value[field])) return `has ${field} that are no object`
    }
    return { ...this.#defaults(value, type), ...value, type, messageId: this.#id(value, type) }
  }

  #defaults(value: JsonObject, type: Message['type']): JsonObject {
    const { interaction, identity } = this.parts
    const isNamed = typeof value['userId'] === 'string' || typeof value['anonymousId'] === 'string'
    return {
      ...(isNamed ? {} : identity),
      ...(type === 'group' && interaction.account.id !== null ? { groupId: interaction.account.id } : {}),
      ...commonFields(this.parts),
    }
  }

  /** That of the message it was given as; a new one depends on all that tells it from the plugin\'s others. */
  #id(value: JsonObject, type: Message['type']): string {
    const given = value['messageId']
    if (typeof given === 'string' && this.#known.delete(given)) return given
    const { ids, identity } = this.parts
    const about = userKeyOf(value) || key(identity)
    const own = typeof given === 'string' ? given : ''
    const kind = JSON.stringify([about, type, value['groupId'] ?? null, value['event'] ?? null, own])
    const count = this.#made.get(kind) ?? 0
    this.#made.set(kind, count + 1)
    return ids.of(type, [about, null, 'plugin', this.plugin, kind, String(count)])
  }
}

/** The interaction as plugins know it. */
function interactionForPlugins({
  kind,
  occurredAt,
  survey,
  response,
  answers,
  user,
  account,
  segments,
}: Interaction): PluginInteraction {
  return {
    kind,
    occurred_at: occurredAt,
    survey,
    answers,
    response: { uuid: response.uuid, tags: response.tags, ...response.timestamps },
    user,
    account,
    segments,
  }
}
