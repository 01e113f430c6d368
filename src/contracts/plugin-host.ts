/** Runs the plugins of a configuration. */
export interface PluginHost {
  /**
   * Calls a plugin for interactions of one tenant, one after the other in their order; other tenants and plugins go on
   * meanwhile. Answers one result for each call. Never rejects.
   */
  call(plugin: string, tenant: string, calls: readonly PluginCall[]): Promise<readonly PluginResult[]>
  /** Ends the plugins; calls under way may never be answered. */
  stop(): void
}

/** One call of a plugin, as texts: they cross to another thread. */
export interface PluginCall {
  /** A `PluginInteraction`, in the form of `json/fields.ts`. */
  readonly interaction: string
  /** Each a `PluginMessage`, in the same form. */
  readonly messages: readonly string[]
  /** What Refiner sent, as JSON. */
  readonly body: string
}

export type PluginResult =
  /** For `readReturned` of `json/fields.ts`; what is in them has not been looked at. */
  | { readonly kind: 'messages'; readonly messages: readonly string[] }
  | { readonly kind: 'skipped'; readonly reason: string }
  | {
      readonly kind: 'failed'
      /** For logs: what went wrong and where, as `TypeError at plugins/nps.ts:12:5`, and nothing that was received. */
      readonly reason: string
      /** What the plugin itself said, which may quote what it was given; null when it said nothing. */
      readonly detail: string | null
    }
