import { afterEach, beforeEach } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { PluginPermissions, PluginSettings } from '../../src/contracts/configuration.ts'
import type { JsonObject } from '../../src/contracts/json.ts'
import type { PluginHost, PluginResult } from '../../src/contracts/plugin-host.ts'
import { readReturned, writeFields } from '../../src/json/fields.ts'
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
  host(...plugins: readonly PluginSettings[]): Promise<TextHost>
  /** Loads one plugin with this source and answers how to call it once, as tenant acme unless told otherwise. */
  plugin(
    source: string,
    changes?: Changes,
  ): Promise<(tenant?: string, call?: TextCall) => Promise<TextResult>>
  /** Loads one plugin with this source, which has problems. */
  problems(source: string, changes?: Changes): Promise<readonly PluginProblem[]>
}

/** A call as JSON texts. */
export interface TextCall {
  readonly interaction: string
  readonly messages: string
  readonly body: string
}

/** A result whose messages are the JSON text of a list. */
export type TextResult =
  Exclude<PluginResult, { kind: 'messages' }> | { readonly kind: 'messages'; readonly messages: string }

export interface TextHost {
  call(plugin: string, tenant: string, calls: readonly TextCall[]): Promise<TextResult[]>
  stop(): void
}

/** A host that is called with JSON texts and answers them. */
export function inTexts(host: PluginHost): TextHost {
  return {
    async call(plugin, tenant, calls) {
      const given = calls.map(({ messages }) => JSON.parse(messages) as JsonObject[])
      const results = await host.call(
        plugin,
        tenant,
        calls.map(({ interaction, body }, index) => ({
          interaction: writeFields(JSON.parse(interaction) as JsonObject),
          messages: given[index]!.map(writeFields),
          body,
        })),
      )
      return results.map((result, index) => {
        if (result.kind !== 'messages') return result
        const list = result.messages.map((item) => readReturned(item, given[index]!))
        return { kind: 'messages', messages: JSON.stringify(list) }
      })
    },
    stop: () => host.stop(),
  }
}

export const call: TextCall = {
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
    return inTexts(loaded.host)
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
    // Whoever waits for a call that is to fail by it names one of their own.
    timeoutMs: 5000,
    memoryBytes: 32 * 1024 * 1024,
    options: {},
    ...changes,
    permissions: { env: new Map(), time: false, random: false, net: [], ...changes.permissions },
  }
}
