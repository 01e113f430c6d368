import type { PluginHost } from '../contracts/plugin-host.ts'
import type { PluginProblem } from './plugin-problem.ts'

/** All plugins of a configuration, or everything that is wrong with any of them. */
export type LoadedPlugins =
  | {
      readonly ok: true
      readonly host: PluginHost
      /** Absolute paths of every file that was bundled, to be watched. */
      readonly files: readonly string[]
    }
  | {
      readonly ok: false
      readonly problems: readonly PluginProblem[]
      /** As above, and those that could not be read. */
      readonly files: readonly string[]
    }
