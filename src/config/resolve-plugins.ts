import { resolve } from 'node:path'
import type { PluginSettings } from '../contracts/configuration.ts'
import type { Sheet } from './checks/sheet.ts'
import { DEFAULTS } from './defaults.ts'
import { plainObject } from './resolve-tests.ts'
import type { PluginFields } from './schema-plugin.ts'
import { parseDuration, parseSize } from './units.ts'

/** The plugins of a file without mistakes, by name. */
export function resolvePlugins(
  sheet: Sheet,
  plugins: Readonly<Record<string, PluginFields>>,
): Map<string, PluginSettings> {
  return new Map(sheet.keys('plugins').map((name) => [name, resolvePlugin(sheet, name, plugins[name]!)]))
}

function resolvePlugin(sheet: Sheet, name: string, plugin: PluginFields): PluginSettings {
  const { env = [], time = false, random = false, net = [] } = plugin.permissions ?? {}
  return {
    name,
    path: resolve(sheet.folder, plugin.path),
    place: sheet.where(sheet.place('plugins', name, 'path')!.valueAt),
    trusted: plugin.trusted ?? false,
    timeoutMs: parseDuration(plugin.timeout ?? DEFAULTS.pluginTimeout),
    memoryBytes: parseSize(plugin.memory ?? DEFAULTS.pluginMemory),
    permissions: {
      env: new Map(env.map((variable) => [variable, sheet.sources.environment[variable]!])),
      time,
      random,
      net,
    },
    options: plainObject(plugin.options ?? {}),
  }
}
