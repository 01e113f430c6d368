import type { JsonObject } from './json.ts'

/** The message types of the Segment spec that this program takes. */
export type MessageType = 'identify' | 'group' | 'track' | 'page' | 'screen' | 'delete'

/**
 * A message as Segment sends it, with its top-level fields under their canonical names
 * (https://segment.com/docs/connections/spec/common/) and everything else as it came.
 */
export interface SegmentMessage {
  readonly type: MessageType
  readonly userId: string
  readonly messageId: string
  readonly anonymousId?: string
  readonly groupId?: string
  readonly event?: string
  readonly name?: string
  readonly traits?: JsonObject
  readonly properties?: JsonObject
  readonly context?: JsonObject
  readonly timestamp?: string
}
