import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Loaded, readConfiguration } from '../../src/config/load.ts'
import type { Mistake, MistakeCode } from '../../src/config/mistake.ts'

/** Stands in a broken file right before the sign that a mistake must point at. */
const MARK = '¦'

/** A broken file with `¦` where its only mistake is, the mistake's code, and a part of what the user is told. */
export type Broken = readonly [what: string, file: string, code: MistakeCode, says: RegExp]

/** What a tenant needs at least, as lines for `tenantFile`. */
export const REFINER = 'refiner: { api_key: refiner-key, webhook: { secret: the-hook-of-acme } }'
export const SEGMENT =
  'segment: { write_key: segment-key, region: us, destination_keys: [the-inbound-key-of-acme] }'

/** The text of a file with one tenant, `acme`, of the given lines; then any further top-level lines. */
export function tenantFile(tenant: readonly string[], top: readonly string[] = []): string {
  return ['tenants:', '  acme:', ...tenant.map((line) => `    ${line}`), ...top, ''].join('\n')
}

/** The text without its mark, and the place of the mark, both numbers from 1. */
export function unmarked(text: string): { text: string; line: number; column: number } {
  const before = text.slice(0, text.indexOf(MARK)).split('\n')
  return { text: text.replace(MARK, ''), line: before.length, column: before.at(-1)!.length + 1 }
}

/** Reads a text as a file in a folder that does not exist but could be made. */
export function read(text: string, environment: Record<string, string | undefined> = {}): Loaded {
  return readConfiguration({ file: join(tmpdir(), 'no-such-folder', 'refiner-sync.yaml'), text, environment })
}

/** The mistakes of a text that must be refused. */
export function mistakesOf(text: string, environment: Record<string, string | undefined> = {}): Mistake[] {
  const loaded = read(text, environment)
  if (loaded.ok) throw new Error('the file was expected to be refused')
  return loaded.mistakes
}

/** The configuration of a text that must be accepted. */
export function accepted(text: string, environment: Record<string, string | undefined> = {}) {
  const loaded = read(text, environment)
  if (!loaded.ok) throw new Error(`the file was refused: ${JSON.stringify(loaded.mistakes, null, 2)}`)
  return loaded
}
