import type { TSchema } from '@sinclair/typebox'
import { isScalar, type LineCounter, type Node, type Pair, type Scalar, type YAMLMap } from 'yaml'
import { error, type Finding } from '../telling/finding.ts'
import { isNameable, unknownKey } from './key-names.ts'
import { nearest } from '../telling/nearest.ts'
import { dotted, type Path } from '../telling/path.ts'
import { isClosed, isKeyed, keysOf, schemaOfKey } from '../schema-steps.ts'
import type { Showing } from './showing.ts'

export interface ReadKey {
  /** Null when the entry is to be left out: its key is no text, or given before. */
  readonly text: string | null
  readonly offset: number
  /** For an unknown key, the known one that was probably meant. */
  readonly meant: string | null
  readonly findings: readonly Finding[]
}

/** Reads the keys of one mapping, as they are written: `123:` is the key "123". */
export class KeyReader {
  private readonly path: Path
  private readonly schema: TSchema | null
  private readonly inBraces: boolean
  private readonly showing: Showing
  private readonly lines: LineCounter
  /** Offset of each key. */
  private readonly seen = new Map<string, number>()

  constructor(
    { path, schema }: { path: Path; schema: TSchema | null },
    mapping: YAMLMap,
    showing: Showing,
    lines: LineCounter,
  ) {
    this.path = path
    this.schema = schema
    this.inBraces = mapping.flow === true
    this.showing = showing
    this.lines = lines
  }

  read(pair: Pair<Node, Node | null>): ReadKey {
    const { key } = pair
    const offset = key.range?.[0] ?? 0
    const text = isScalar(key) ? (key.source ?? String(key.value)) : ''
    if (!isScalar(key) || text === '') return skip(offset, badKey(offset))
    const name = this.nameOf(key, text, this.inBraces && isNothing(pair.value))
    const first = this.seen.get(text)
    if (first !== undefined) return skip(offset, this.givenTwice(name, offset, first))
    this.seen.set(text, offset)
    if (!isKeyed(this.schema) || !this.isUnknown(text)) return { text, offset, meant: null, findings: [] }
    const findings = [unknownKey(name, this.schema, this.path, offset)]
    return { text, offset, meant: nearest(text, keysOf(this.schema)), findings }
  }

  /** The key's name where it may be shown; excerpts show it then, too. */
  private nameOf(key: Scalar, text: string, lone: boolean): string | null {
    if (!isKeyed(this.schema)) return null
    const offset = key.range?.[0] ?? 0
    const known = schemaOfKey(this.schema, text) !== null
    const signs = { lone, besideHidden: this.showing.hidesAt(offset) }
    const nameable = known || isNameable(text, this.schema, signs)
    if (known) this.showing.key(key)
    else this.showing.unknownKey(key, nameable)
    return nameable ? text : null
  }

  private isUnknown(text: string): boolean {
    return isKeyed(this.schema) && isClosed(this.schema) && schemaOfKey(this.schema, text) === null
  }

  private givenTwice(name: string | null, offset: number, first: number): Finding {
    const key = name === null ? 'a key' : `\`${name}\``
    const where = this.path.length === 0 ? 'at the top level' : `in \`${dotted(this.path)}\``
    const { line } = this.lines.linePos(first)
    const message = `${key} is given twice ${where}, first in line ${line}`
    return error('duplicate_key', offset, message, 'keep one of the two')
  }
}

function isNothing(value: Node | null): boolean {
  return value === null || (isScalar(value) && value.source === '')
}

function skip(offset: number, finding: Finding): ReadKey {
  return { text: null, offset, meant: null, findings: [finding] }
}

function badKey(offset: number): Finding {
  return error('bad_key', offset, 'a key must be a single word or text', 'write `key: value`')
}
