import type { PluginSettings } from '../contracts/configuration.ts'
import type { PluginHost } from '../contracts/plugin-host.ts'
import type { LoadedPlugins } from './loaded-plugins.ts'

export type { LoadedPlugins } from './loaded-plugins.ts'
export type { PluginProblem } from './plugin-problem.ts'

/**
 * Bundles the plugins of a configuration, starts their threads and loads each of them once. Either all of them can be
 * called, or everything that is wrong with any of them is told and no thread is left.
 *
 * `files` are the absolute paths of all files that were bundled, or that could not be, to be watched for changes. Without
 * plugins nothing is started, and none of what they need is read.
 */
export async function loadPlugins(plugins: ReadonlyMap<string, PluginSettings>): Promise<LoadedPlugins> {
  if (plugins.size === 0) return { ok: true, host: NO_PLUGINS, files: [] }
  const { startPlugins } = await import('./start-plugins.ts')
  return startPlugins([...plugins.values()])
}

/** The host of a configuration without plugins. */
export const NO_PLUGINS: PluginHost = {
  call: (plugin, _tenant, calls) =>
    Promise.resolve(
      calls.map(() => ({ kind: 'failed', reason: `there is no plugin ${plugin}`, detail: null })),
    ),
  stop: () => undefined,
}
