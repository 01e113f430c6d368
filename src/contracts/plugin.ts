/**
 * The contract of plugins. A plugin is a TypeScript or JavaScript module whose default export is a `Plugin`:
 *
 * ```ts
 * import type { Plugin } from './refiner-sync.d.ts' // `refiner-sync schema plugin` prints this file
 *
 * export default {
 *   name: 'no-free-text',
 *   transform(interaction, messages, context) {
 *     if (interaction.survey.name === 'Internal') return context.skip('an internal survey')
 *     return messages
 *   },
 * } satisfies Plugin
 * ```
 */
export interface Plugin {
  readonly name: string
  /**
   * Called once for each interaction, after the rules. Answers the messages to send, in order: those it was given,
   * changed or not, fewer of them, or more. `null` sends none and is recorded as skipped. What it throws makes the
   * interaction's delivery dead, with the error and its line, to be replayed once the plugin is mended.
   *
   * A promise is waited for, within the plugin's timeout.
   */
  transform(
    interaction: PluginInteraction,
    messages: PluginMessage[],
    context: PluginContext,
  ): PluginMessage[] | null | Promise<PluginMessage[] | null>
}

/** What happened with a survey. Timestamps are ISO 8601 with milliseconds, UTC; what is unknown is null. */
export interface PluginInteraction {
  readonly kind: 'completed' | 'seen' | 'dismissed' | 'segment_entered' | 'tag_added'
  readonly occurred_at: string
  readonly survey: { readonly uuid: string | null; readonly name: string | null }
  readonly response: {
    readonly uuid: string | null
    readonly tags: readonly PluginValue[] | null
    readonly first_shown_at: string | null
    readonly last_shown_at: string | null
    readonly first_data_reception_at: string | null
    readonly last_data_reception_at: string | null
    readonly completed_at: string | null
    readonly dismissed_at: string | null
    readonly received_at: string | null
  }
  /** By question, without the nulls. Refiner gives numbers as text. */
  readonly answers: Readonly<Record<string, PluginValue>>
  readonly user: {
    /** The contact's uuid at Refiner. */
    readonly uuid: string | null
    /** The user ID that the user was identified with. */
    readonly id: string | null
    readonly email: string | null
    readonly attributes: Readonly<Record<string, PluginValue>>
  }
  readonly account: {
    readonly id: string | null
    readonly attributes: Readonly<Record<string, PluginValue>>
  }
  readonly segments: readonly { readonly uuid: string | null; readonly name: string | null }[]
}

/**
 * A call of the Segment spec. A message that the plugin makes anew needs `type` alone, and `event` for a track: user,
 * group, time, context and ID are filled in. The ID depends on the plugin and the interaction, so that Segment knows a
 * copy; a `messageId` that the plugin gives goes into it.
 */
export interface PluginMessage {
  type: 'identify' | 'group' | 'track'
  messageId?: string
  userId?: string
  anonymousId?: string
  groupId?: string
  event?: string
  traits?: Record<string, PluginValue>
  properties?: Record<string, PluginValue>
  context?: Record<string, PluginValue>
  integrations?: Record<string, PluginValue>
  timestamp?: string
  [field: string]: PluginValue | undefined
}

export interface PluginContext {
  /** The tenant's name. */
  readonly tenant: string
  /** The plugin's `options` in refiner-sync.yaml. */
  readonly options: Readonly<Record<string, PluginValue>>
  /** The environment variables that `permissions.env` grants. */
  readonly env: Readonly<Record<string, string>>
  /** What Refiner sent, as it sent it. */
  body(): Record<string, PluginValue>
  /** Gives the `null` that skips the interaction a reason. */
  skip(reason: string): null
}

/** What JSON can hold. */
export type PluginValue =
  string | number | boolean | null | PluginValue[] | { [name: string]: PluginValue | undefined }
