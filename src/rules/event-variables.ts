import type { Environment } from '@marcbachmann/cel-js'
import type { JsonObject } from '../contracts/json.ts'
import type { SegmentMessage } from '../contracts/segment-message.ts'
import { type Readable, readableMap } from './readable.ts'

/** What expressions of `to_refiner.mapping` see: the message of Segment, its unknown texts empty. */
class Message {
  constructor(
    readonly type: string,
    readonly user_id: string,
    readonly anonymous_id: string,
    readonly group_id: string,
    readonly event: string,
    readonly name: string,
    readonly message_id: string,
    readonly timestamp: string,
  ) {}
}

const MAP = 'map<string, dyn>'

export interface EventVariables {
  readonly message: object
  /** Flat, as Refiner keeps them. */
  readonly traits: Readable
  readonly properties: Readable
  readonly context: Readable
  readonly tenant: string
}

export function declareEvent(environment: Environment): Environment {
  const text = 'string'
  return environment
    .registerType('Message', {
      ctor: Message,
      fields: {
        type: text,
        user_id: text,
        anonymous_id: text,
        group_id: text,
        event: text,
        name: text,
        message_id: text,
        timestamp: text,
      },
    })
    .registerVariable('message', 'Message')
    .registerVariable('traits', MAP)
    .registerVariable('properties', MAP)
    .registerVariable('context', MAP)
    .registerVariable('tenant', text)
}

/** @param traits flattened */
export function eventVariables(message: SegmentMessage, traits: JsonObject, tenant: string): EventVariables {
  return {
    message: new Message(
      message.type,
      message.userId,
      message.anonymousId ?? '',
      message.groupId ?? '',
      message.event ?? '',
      message.name ?? '',
      message.messageId,
      message.timestamp ?? '',
    ),
    traits: readableMap(traits),
    properties: readableMap(message.properties ?? {}),
    context: readableMap(message.context ?? {}),
    tenant,
  }
}
