/** One thing that keeps a plugin from being loaded. */
export interface PluginProblem {
  /** The plugin's name in refiner-sync.yaml. */
  readonly plugin: string
  readonly code: PluginProblemCode
  /** Absolute path of the plugin, or of the file it imports. */
  readonly file: string
  /** Line and column count from 1, in the source as its author wrote it; null when no place is to blame. */
  readonly line: number | null
  readonly column: number | null
  /** The text of that line. */
  readonly sourceLine: string | null
  /** What is wrong, as `plugin nps-category has no default export`. */
  readonly message: string
  /** What to do about it. */
  readonly hint: string | null
}

/** Stable names of what can be wrong. */
export type PluginProblemCode =
  'plugin_unreadable' | 'plugin_syntax' | 'plugin_import' | 'plugin_no_default_export' | 'plugin_load_failed'
