import { isBuiltin } from 'node:module'
import { extname } from 'node:path'

/** What a sandboxed plugin may be made of. */
const CODE_EXTENSIONS = new Set(['', '.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json'])

/** Whether the sandbox has no such module: it is part of Bun or Node. */
export function isRefusedModule(specifier: string): boolean {
  return /^(?:node|bun|macro):/.test(specifier) || specifier === 'bun' || isBuiltin(specifier)
}

/** Whether a file, by its name, is code or JSON: a bundle must not take up what else lies on the disk. */
export function isCodeFile(path: string): boolean {
  return CODE_EXTENSIONS.has(extname(path)) && !path.includes('\0')
}

/** Where an import stands in a source, by its line and column from 1; null when it is written in an unusual way. */
export function findImport(source: string, specifier: string): { line: number; column: number } | null {
  const name = specifier.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  const quoted = String.raw`(['"\`])${name}\k<quote>`.replace('(', '(?<quote>')
  const statement = new RegExp(String.raw`(?:\bfrom|\bimport|\brequire)\s*\(?\s*(?=${quoted})`).exec(source)
  const offset =
    statement === null ? source.search(new RegExp(quoted)) : statement.index + statement[0].length
  if (offset < 0) return null
  const before = source.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
