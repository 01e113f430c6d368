import { afterEach, beforeEach } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { PluginPermissions, PluginSettings } from '../../src/contracts/configuration.ts'
import type { PluginCall, PluginHost, PluginResult } from '../../src/contracts/plugin-host.ts'
import { type LoadedPlugins, loadPlugins, type PluginProblem } from '../../src/plugins/load.ts'

interface Changes extends Partial<Omit<PluginSettings, 'permissions'>> {
  readonly permissions?: Partial<PluginPermissions>
}

/** Plugins in files of a temporary folder, in real threads; both are gone after each test. */
export interface Workshop {
  /** Writes a file below the folder and answers its path. */
  write(name: string, source: string): string
  /** Settings of a plugin whose module is `path`. */
  settings(name: string, path: string, changes?: Changes): PluginSettings
  load(...plugins: readonly PluginSettings[]): Promise<LoadedPlugins>
  /** Loads plugins that have no problems. */
  host(...plugins: readonly PluginSettings[]): Promise<PluginHost>
  /** Loads one plugin with this source and answers how to call it once, as tenant acme unless told otherwise. */
  plugin(
    source: string,
    changes?: Changes,
  ): Promise<(tenant?: string, call?: PluginCall) => Promise<PluginResult>>
  /** Loads one plugin with this source, which has problems. */
  problems(source: string, changes?: Changes): Promise<readonly PluginProblem[]>
}

export const call: PluginCall = {
  interaction: '{"kind":"completed","answers":{"NPS":"9"}}',
  messages: '[{"type":"track","event":"Survey Completed","properties":{"score":9}}]',
  body: '{"uuid":"r-1"}',
}

/** The source of a plugin whose `transform(interaction, messages, context)` has this body. */
export const transforming = (body: string, before = ''): string =>
  `${before}\nexport default {\n  name: 'test',\n  async: false,\n  transform(interaction: any, messages: any[], context: any): any {\n${body}\n  },\n}\n`

export function workshop(): Workshop {
  let folder = ''
  let hosts: PluginHost[] = []
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'refiner-sync-plugins-'))
    hosts = []
  })
  afterEach(() => {
    for (const host of hosts) host.stop()
    rmSync(folder, { recursive: true })
  })
  const write: Workshop['write'] = (name, source) => {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, source)
    return path
  }
  const load: Workshop['load'] = async (...plugins) => {
    const loaded = await loadPlugins(new Map(plugins.map((plugin) => [plugin.name, plugin])))
    if (loaded.ok) hosts.push(loaded.host)
    return loaded
  }
  const host: Workshop['host'] = async (...plugins) => {
    const loaded = await load(...plugins)
    if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('\n'))
    return loaded.host
  }
  return {
    write,
    settings,
    load,
    host,
    async plugin(source, changes) {
      const loaded = await host(settings('test', write('test.ts', source), changes))
      return async (tenant = 'acme', given = call) => {
        const [result] = await loaded.call('test', tenant, [given])
        if (result === undefined) throw new Error('no result')
        return result
      }
    },
    async problems(source, changes) {
      const loaded = await load(settings('test', write('test.ts', source), changes))
      return loaded.ok ? [] : loaded.problems
    },
  }
}

function settings(name: string, path: string, changes: Changes = {}): PluginSettings {
  return {
    name,
    path,
    place: 'refiner-sync.yaml:1:1',
    trusted: false,
    timeoutMs: 100,
    memoryBytes: 32 * 1024 * 1024,
    options: {},
    ...changes,
    permissions: { env: new Map(), time: false, random: false, net: [], ...changes.permissions },
  }
}
