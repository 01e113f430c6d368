import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { PluginSettings } from '../contracts/configuration.ts'
import type { PluginProblem } from './plugin-problem.ts'
import { findImport } from './refused-imports.ts'

/** The plugin's own file cannot be read. */
export function unreadable(settings: PluginSettings, error: unknown): PluginProblem {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  const why: Record<string, string> = {
    ENOENT: 'there is no such file',
    EACCES: 'reading it is not permitted',
    EISDIR: 'it is a folder',
  }
  return {
    plugin: settings.name,
    code: 'plugin_unreadable',
    file: settings.path,
    line: null,
    column: null,
    sourceLine: null,
    message: `plugin ${settings.name} cannot be read: ${why[code] ?? code}`,
    hint: code === 'ENOENT' ? 'a path counts from the folder of the file that names it' : null,
  }
}

/** A module or file that a sandboxed plugin may not import. */
export async function importProblem(
  settings: PluginSettings,
  { specifier, importer }: { specifier: string; importer: string },
): Promise<PluginProblem> {
  const isFile = specifier === importer
  const source = isFile ? '' : await readFile(importer, 'utf8').catch(() => '')
  const place = findImport(source, specifier)
  return {
    plugin: settings.name,
    code: 'plugin_import',
    file: importer,
    line: place?.line ?? null,
    column: place?.column ?? null,
    sourceLine: place === null ? null : (source.split(/\r?\n/)[place.line - 1] ?? null),
    message: isFile
      ? `plugin ${settings.name} imports ${basename(specifier)}, which is neither code nor JSON`
      : `plugin ${settings.name} imports ${specifier}, which the sandbox does not have`,
    hint: isFile ? null : 'do without it, or set `trusted: true` to run the plugin outside the sandbox',
  }
}

/** What the bundler said. */
export function problemOf(settings: PluginSettings, log: BuildMessage | ResolveMessage): PluginProblem {
  const { position } = log
  const isImport =
    log.name === 'ResolveMessage' || /^(?:No matching export|Macros are disabled)/.test(log.message)
  return {
    plugin: settings.name,
    code: isImport ? 'plugin_import' : 'plugin_syntax',
    file: position === null || position.file === '' ? settings.path : position.file,
    line: position === null || position.line < 1 ? null : position.line,
    column: position === null || position.line < 1 ? null : position.column,
    sourceLine: position === null || position.lineText === '' ? null : position.lineText,
    message: `plugin ${settings.name}: ${log.message}`,
    hint: null,
  }
}
