/** A segment of the configuration: users for whom a condition holds. */
export interface SegmentDefinition {
  /** Unique in its tenant. */
  readonly name: string
  /** A CEL expression. */
  readonly condition: string
  /** The uuid of a manual segment of Refiner that is given the same members; null leaves Refiner alone. */
  readonly refinerSegment: string | null
  /** A trait that Segment is told, true or false; null tells none. */
  readonly trait: string | null
  /** Events that Segment is told; null tells none. */
  readonly enteredEvent: string | null
  readonly leftEvent: string | null
}

/**
 * A user entered or left a segment, or stays in one that is told anew. It is kept in the inbox like a message of Segment,
 * of a type that nobody can send, and says all that is to be told: what it becomes depends on nothing else.
 */
export interface SegmentChange {
  readonly type: 'segment_change'
  /** What its messages' IDs are made of: 32 hexadecimal digits. */
  readonly key: string
  readonly userId: string
  readonly segment: string
  readonly entered: boolean
  /** When that was found, ISO 8601. */
  readonly at: string
  /** To be told, each null where it is not. */
  readonly refinerSegment: string | null
  readonly trait: string | null
  readonly event: string | null
}

/** A segment as the operator sees it. No personal data. */
export interface SegmentStatus extends SegmentDefinition {
  readonly tenant: string
  readonly members: number
  /** Whether everybody has been looked at since the condition was set: until then the members are not all. */
  readonly isComplete: boolean
  /** When the condition last failed for somebody since the start, in ms since 1970, and why: it quotes no value. */
  readonly lastFailure: { readonly at: number; readonly reason: string } | null
}
