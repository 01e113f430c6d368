import { TypeGuard } from '@sinclair/typebox'
import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { Anchors } from './anchors.ts'
import { error, type Finding } from '../telling/finding.ts'
import type { ReferenceSources } from './interpolate.ts'
import { KeyReader } from './key-reader.ts'
import { dotted, pointerOf } from '../telling/path.ts'
import type { Place, Reading } from './places.ts'
import { readScalar, runsOn } from './scalars.ts'
import { Showing } from './showing.ts'
import type { Source } from './source.ts'
import { aliasedSpot, itemSpot, keySpot, rootSpot, type Spot } from './spot.ts'

/** Reads a document without syntax errors: aliases are followed, references replaced, unknown keys found. */
export function readPlaces(source: Source, references: ReferenceSources): Reading {
  return new Walk(source, references).read()
}

/** No honest file is nested deeper. */
const DEEPEST = 50

class Walk {
  private readonly source: Source
  private readonly references: ReferenceSources
  private readonly places = new Map<string, Place>()
  private readonly findings: Finding[] = []
  private readonly rejected = new Set<string>()
  private readonly anchors = new Anchors()
  private readonly showing: Showing
  private exhausted = false

  constructor(source: Source, references: ReferenceSources) {
    this.source = source
    this.references = references
    this.showing = new Showing(source)
  }

  read(): Reading {
    const root = this.source.document.contents
    const value = this.node(root, rootSpot(root?.range[0] ?? 0))
    const { places, findings, rejected } = this
    return { value, places, findings, rejected, shown: this.showing.shown() }
  }

  private node(node: Node | null, spot: Spot): unknown {
    if (this.exhausted) return null
    if (spot.path.length > DEEPEST || (spot.copied && this.anchors.countCopy())) return this.giveUp(spot)
    if (node === null) return this.keep(spot, spot.keyAt, null)
    if (isAlias(node)) return this.alias(node, spot)
    return this.anchors.within(node, () => this.content(node, spot))
  }

  private content(node: Node, spot: Spot): unknown {
    if (isScalar(node)) return this.scalar(node, spot)
    const value = isMap(node) ? this.mapping(node, spot) : this.list(node as YAMLSeq, spot)
    return this.keep(spot, startOf(node), value)
  }

  private alias(alias: Alias, spot: Spot): unknown {
    const at = startOf(alias)
    this.showing.hide(alias)
    const target = this.anchors.resolve(alias, at)
    if ('code' in target) return this.reject(spot, target)
    return this.node(target, aliasedSpot(spot, at))
  }

  private mapping(node: YAMLMap, spot: Spot): Record<string, unknown> {
    const value: Record<string, unknown> = Object.create(null)
    const keys = new KeyReader(spot, node, this.showing, this.source.lines)
    const meant: string[] = []
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const key = keys.read(pair)
      this.findings.push(...key.findings)
      if (key.text === null) continue
      if (key.meant !== null) meant.push(key.meant)
      value[key.text] = this.node(pair.value, keySpot(spot, key.text, key.offset))
    }
    this.rejectMeant(
      spot,
      meant.filter((key) => !Object.hasOwn(value, key)),
    )
    return value
  }

  /** A misspelled key is told of once: the key that was meant is not reported as missing besides. */
  private rejectMeant({ path }: Spot, keys: readonly string[]): void {
    for (const key of keys) this.rejected.add(pointerOf([...path, key]))
  }

  private list(node: YAMLSeq, spot: Spot): unknown[] {
    return (node.items as Node[]).map((item, index) => this.node(item, itemSpot(spot, index, startOf(item))))
  }

  private scalar(scalar: Scalar, spot: Spot): unknown {
    const raw = this.showing.value(scalar, spot.path, spot.schema)
    const { value, references, problems } = readScalar(scalar, spot.schema, this.references)
    const at = raw === '' ? spot.keyAt : startOf(scalar)
    for (const { code, message, hint } of problems)
      this.reject(spot, error(code, spot.aliasAt ?? at, message, hint))
    if (spot.schema !== null && !TypeGuard.IsUnknown(spot.schema) && runsOn(scalar, raw)) {
      this.reject(spot, goesOn(spot, at))
    }
    return this.keep(spot, at, value, references, scalar.type !== 'PLAIN')
  }

  private keep<T>(spot: Spot, at: number, value: T, references: readonly string[] = [], quoted = false): T {
    const { path, keyAt, schema } = spot
    const valueAt = spot.aliasAt ?? at
    this.places.set(pointerOf(path), { path, keyAt, valueAt, schema, value, references, quoted })
    return value
  }

  private reject(spot: Spot, finding: Finding): null {
    this.findings.push(finding)
    this.rejected.add(pointerOf(spot.path))
    return null
  }

  private giveUp(spot: Spot): null {
    this.exhausted = true
    return this.reject(spot, error('yaml_too_complex', spot.keyAt, 'nested too deeply, or too many aliases'))
  }
}

function goesOn({ path }: Spot, at: number): Finding {
  const message = `the value of \`${dotted(path)}\` goes on in the next line`
  return error(
    'multiline_value',
    at,
    message,
    'look for a missing space after `:`, or put the value in quotes',
  )
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0
}
