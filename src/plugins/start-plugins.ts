import type { PluginSettings } from '../contracts/configuration.ts'
import { type Bundled, bundlePlugin } from './bundle.ts'
import { describeLoadFailure } from './load-problems.ts'
import type { LoadedPlugins } from './loaded-plugins.ts'
import type { PluginProblem } from './plugin-problem.ts'
import { type LoadedPlugin, ThreadedHost } from './threaded-host.ts'
import { SandboxThread } from './sandbox-thread.ts'
import type { ThreadPlugin } from './thread-messages.ts'
import { TrustedThread } from './trusted-thread.ts'

/** See `loadPlugins`. */
export async function startPlugins(plugins: readonly PluginSettings[]): Promise<LoadedPlugins> {
  const sandbox = new SandboxThread()
  const loaded = new Map<string, LoadedPlugin>()
  const problems: PluginProblem[] = []
  const files = new Set<string>()
  const loadOne = async (settings: PluginSettings): Promise<void> => {
    const bundled = await bundlePlugin(settings)
    for (const file of bundled.files) files.add(file)
    if (!bundled.ok) {
      problems.push(...bundled.problems)
      return
    }
    const { plugin, problem } = await start(settings, bundled, sandbox)
    loaded.set(settings.name, plugin)
    if (problem !== null) problems.push(problem)
  }
  await Promise.all(plugins.map(loadOne))
  const host = new ThreadedHost(sandbox, loaded)
  if (problems.length === 0) return { ok: true, host, files: [...files] }
  host.stop()
  const order = new Map(plugins.map(({ name }, index) => [name, index]))
  problems.sort((a, b) => (order.get(a.plugin) ?? 0) - (order.get(b.plugin) ?? 0))
  return { ok: false, problems, files: [...files] }
}

async function start(
  settings: PluginSettings,
  bundled: Bundled & { ok: true },
  sandbox: SandboxThread,
): Promise<{ plugin: LoadedPlugin; problem: PluginProblem | null }> {
  const { places } = bundled
  const forThread = threadPlugin(settings, bundled.code)
  const trusted = settings.trusted ? new TrustedThread(forThread) : null
  const outcome = await (trusted === null ? sandbox.load(forThread) : trusted.load())
  const problem = outcome.kind === 'loaded' ? null : describeLoadFailure(outcome, settings, places)
  return { plugin: { settings, places, trusted }, problem }
}

function threadPlugin(settings: PluginSettings, code: string): ThreadPlugin {
  const { name, timeoutMs, memoryBytes, permissions, options } = settings
  const { time, random, net } = permissions
  return {
    name,
    code,
    timeoutMs,
    memoryBytes,
    time,
    random,
    net,
    env: Object.fromEntries(permissions.env),
    options,
  }
}
