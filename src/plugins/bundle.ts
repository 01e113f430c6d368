import { readFile, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BunPlugin } from 'bun'
import type { PluginSettings } from '../contracts/configuration.ts'
import { importProblem, problemOf, unreadable } from './build-problems.ts'
import type { PluginProblem } from './plugin-problem.ts'
import { isCodeFile, isRefusedModule } from './refused-imports.ts'
import { SourcePlaces } from './source-places.ts'

export type Bundled =
  | {
      readonly ok: true
      readonly code: string
      readonly places: SourcePlaces
      readonly files: readonly string[]
    }
  | { readonly ok: false; readonly problems: readonly PluginProblem[]; readonly files: readonly string[] }

/** An import that a sandboxed plugin may not have. */
interface Refusal {
  readonly specifier: string
  readonly importer: string
}

/**
 * Makes one ES module of a plugin, the files it imports and the packages below its folder. `files` are the absolute paths
 * of all that were read, the plugin's own included, even when that fails.
 */
export async function bundlePlugin(settings: PluginSettings): Promise<Bundled> {
  const files = new Set([settings.path])
  const refusals: Refusal[] = []
  let entry: string
  try {
    await readFile(settings.path)
    // The bundler remembers where a path led the first time: behind a link that was turned, it would take the old file.
    entry = await realpath(settings.path)
  } catch (error) {
    return { ok: false, problems: [unreadable(settings, error)], files: [...files] }
  }
  const base = process.cwd()
  const output = await build(entry, settings, watchImports(settings, files, refusals))
  const problems = await Promise.all(refusals.map((refusal) => importProblem(settings, refusal)))
  for (const log of output.logs) {
    if (log.level === 'error') problems.push(problemOf(settings, log))
  }
  const code = await output.outputs.find((file) => file.kind === 'entry-point')?.text()
  const map = await output.outputs.find((file) => file.kind === 'sourcemap')?.text()
  if (problems.length > 0 || code === undefined || map === undefined) {
    return { ok: false, problems, files: [...files] }
  }
  return { ok: true, code, places: new SourcePlaces(map, base), files: [...files] }
}

function build(
  entry: string,
  { path, trusted }: PluginSettings,
  plugin: BunPlugin,
): Promise<Bun.BuildOutput> {
  const options: Bun.BuildConfig & { macros: boolean } = {
    entrypoints: [entry],
    target: trusted ? 'bun' : 'browser',
    format: 'esm',
    sourcemap: 'external',
    packages: 'bundle',
    env: 'disable',
    // Macros run while bundling, in this process: outside of any sandbox. Bun knows the option, its types do not yet.
    macros: false,
    throw: false,
    define: trusted ? ownPlace(path) : {},
    plugins: [plugin],
  }
  return Bun.build(options)
}

/** The bundle runs from elsewhere: what asks for its own place means the source's. */
function ownPlace(path: string): Record<string, string> {
  const file = JSON.stringify(path)
  const folder = JSON.stringify(dirname(path))
  return {
    'import.meta.path': file,
    'import.meta.filename': file,
    'import.meta.dir': folder,
    'import.meta.dirname': folder,
    'import.meta.url': JSON.stringify(pathToFileURL(path).href),
  }
}

function watchImports(settings: PluginSettings, files: Set<string>, refusals: Refusal[]): BunPlugin {
  const refuse = (specifier: string, importer: string) => {
    refusals.push({ specifier, importer })
    return { path: specifier, namespace: 'refused' }
  }
  return {
    name: 'refiner-sync',
    setup(build) {
      build.onResolve({ filter: /./ }, ({ path, importer, kind }) => {
        if (settings.trusted || kind === 'entry-point-build') return undefined
        if (isRefusedModule(path)) return refuse(path, importer)
        return undefined
      })
      // So that the build goes on and finds what else is wrong.
      build.onLoad({ filter: /./, namespace: 'refused' }, () => ({
        contents: 'module.exports = {}',
        loader: 'js',
      }))
      build.onLoad({ filter: /./, namespace: 'file' }, ({ path }) => {
        files.add(path)
        if (settings.trusted || isCodeFile(path)) return undefined
        refusals.push({ specifier: path, importer: path })
        return { contents: 'module.exports = {}', loader: 'js' }
      })
    },
  }
}
