import type { Call } from '../contracts/call.ts'
import type { ToSegmentSettings } from '../contracts/configuration.ts'
import type { Interaction } from '../contracts/interaction.ts'
import type { JsonObject } from '../contracts/json.ts'
import { put, withoutNulls } from '../json/objects.ts'
import type { EmittedMessage, InteractionDraft } from '../rules/draft.ts'
import { VERSION } from '../version.ts'
import type { MessageIds } from './message-id.ts'

/** A message as it goes to Segment. */
export type Message = { readonly type: Call; readonly messageId: string } & JsonObject

/** Whom messages are about. */
export type Identity = { readonly userId: string } | { readonly anonymousId: string }

/** Names us in every message, and lets us know our own when Segment sends it back. */
const US = { name: 'refiner-sync', version: VERSION }
const CONTEXT: JsonObject = { library: US, integration: US }
/** Keeps Segment from sending the message on to Refiner; the name is the one in Segment's catalogue. */
const NOT_TO_REFINER: JsonObject = { Refiner: false }

/** What messages have that no interaction stands behind. */
export const OWN_FIELDS = { context: CONTEXT, integrations: NOT_TO_REFINER } as const

export interface MessageParts {
  readonly ids: MessageIds
  readonly interaction: Interaction
  readonly settings: ToSegmentSettings
  readonly identity: Identity
  readonly draft: InteractionDraft
}

/** The messages that a draft comes to, in the order in which they go out. */
export function segmentMessages(parts: MessageParts): Message[] {
  const maker = new MessageMaker(parts)
  const messages: Message[] = []
  for (const call of parts.draft.calls) maker.push(call, messages)
  for (const [index, emitted] of parts.draft.emitted.entries()) {
    const message = maker.emitted(emitted, index)
    if (message !== null) messages.push(message)
  }
  return messages
}

export interface CommonFields extends JsonObject {
  timestamp: string
  context: JsonObject
  integrations: JsonObject
}

/** What all messages of an interaction have. */
export function commonFields({ interaction, draft }: MessageParts): CommonFields {
  return {
    timestamp: interaction.occurredAt,
    context: Object.keys(draft.context).length === 0 ? CONTEXT : { ...CONTEXT, ...draft.context },
    integrations: NOT_TO_REFINER,
  }
}

/** What deliveries of one user have in common. */
export function key(identity: Identity): string {
  return 'userId' in identity ? identity.userId : identity.anonymousId
}

/** The same of a message; empty when it is about nobody. */
export function userKeyOf({ userId, anonymousId }: JsonObject): string {
  if (typeof userId === 'string' && userId !== '') return userId
  return typeof anonymousId === 'string' ? anonymousId : ''
}

class MessageMaker {
  readonly #common: CommonFields

  constructor(private readonly parts: MessageParts) {
    this.#common = commonFields(parts)
  }

  /** Adds the messages of a call. */
  push(call: Call, messages: Message[]): void {
    const { interaction, identity, draft } = this.parts
    switch (call) {
      case 'identify':
        messages.push(this.#message('identify', [key(identity), null], { traits: draft.traits }))
        return
      case 'group': {
        const groupId = interaction.account.id
        if (groupId === null) return
        messages.push(
          this.#message('group', [key(identity), groupId], { groupId, traits: draft.groupTraits }),
        )
        return
      }
      case 'track': {
        const { event, properties } = draft
        if (event !== null)
          messages.push(this.#message('track', [key(identity), null], { event, properties }))
        this.#pushQuestions(messages)
        return
      }
    }
  }

  /** One track for each answered question of a completed survey, where an event name is set for them. */
  #pushQuestions(messages: Message[]): void {
    const { interaction, settings, draft, identity } = this.parts
    const event = settings.questionEvent
    if (event === null || interaction.kind !== 'completed') return
    const { survey, response } = interaction
    for (const [question, { property, trait }] of draft.answers) {
      const properties = withoutNulls({
        survey_uuid: survey.uuid,
        survey_name: survey.name,
        response_uuid: response.uuid,
        question,
        // A rule may have taken it out of one place alone.
        answer: draft.properties[property] ?? draft.traits[trait] ?? interaction.answers[question] ?? null,
      })
      const about = [key(identity), null, 'question', question]
      messages.push(this.#message('track', about, { event, properties }))
    }
  }

  /** The message of an `emit`; null for a group of nobody. */
  emitted(emitted: EmittedMessage, index: number): Message | null {
    const { interaction, identity, draft } = this.parts
    const { type, event, timestamp, traits, properties, context, fields } = emitted
    const about: Identity = emitted.userId === null ? identity : { userId: emitted.userId }
    const groupId = emitted.groupId ?? interaction.account.id
    if (type === 'group' && groupId === null) return null
    // A rule emits once; the count tells apart the rules of a preset and of a tenant that share a name.
    const before = draft.emitted.slice(0, index).filter(({ rule }) => rule === emitted.rule).length
    const id = [key(about), type === 'group' ? groupId : null, 'rule', emitted.rule, String(before)]
    const body: JsonObject = { ...fields }
    if (type === 'group') body['groupId'] = groupId
    if (event !== null) body['event'] = event
    if (traits !== null) body['traits'] = traits
    if (properties !== null) body['properties'] = properties
    const made = this.#message(type, id, body, about)
    if (timestamp !== null) made['timestamp'] = timestamp
    made['context'] = { ...(made['context'] as JsonObject), ...context }
    return made
  }

  /** Name by name, which is faster than spreading one object into another. */
  #message(
    type: Call,
    about: readonly (string | null)[],
    body: JsonObject,
    identity: Identity = this.parts.identity,
  ): Message {
    const message: Message = { type, messageId: this.parts.ids.of(type, about) }
    if ('userId' in identity) message['userId'] = identity.userId
    else message['anonymousId'] = identity.anonymousId
    for (const name in body) put(message, name, body[name]!)
    message['timestamp'] = this.#common.timestamp
    message['context'] = this.#common.context
    message['integrations'] = this.#common.integrations
    return message
  }
}
