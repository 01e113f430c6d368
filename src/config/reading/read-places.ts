import { type TSchema, KindGuard } from '@sinclair/typebox'
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
import { aliasedSpot, chosenSpot, itemSpot, keySpot, rootSpot, type Spot } from './spot.ts'
import { isExpression, isOpenLeaf } from '../schema-steps.ts'
import { brokenExpressions, unquotedExpression } from './broken-expressions.ts'

/** Reads a document without syntax errors: aliases are followed, references replaced, unknown keys found. */
export function readPlaces(source: Source, schema: TSchema, references: ReferenceSources): Reading {
  return new Walk(source, schema, references).read()
}

/** No honest file is nested deeper. */
const DEEPEST = 50

/** How a value is written. */
type Written = Pick<Place, 'references' | 'quoted' | 'scalar'>

const UNWRITTEN: Written = { references: [], quoted: false, scalar: null }

/** Stands for a mapping that was not looked into. */
const MAPPING = { '': null }

class Walk {
  private readonly source: Source
  private readonly schema: TSchema
  private readonly references: ReferenceSources
  private readonly places = new Map<string, Place>()
  private readonly findings: Finding[] = []
  private readonly rejected = new Set<string>()
  private readonly anchors = new Anchors()
  private readonly showing: Showing
  private exhausted = false

  constructor(source: Source, schema: TSchema, references: ReferenceSources) {
    this.source = source
    this.schema = schema
    this.references = references
    this.showing = new Showing(source)
  }

  read(): Reading {
    const root = this.source.document.contents
    const value = this.node(root, rootSpot(this.schema, root?.range[0] ?? 0))
    const { places, findings, rejected } = this
    return { value, places, findings, rejected, shown: this.showing.shown() }
  }

  private node(node: Node | null, unchosen: Spot): unknown {
    if (this.exhausted) return null
    const spot = isAlias(node) ? unchosen : chosenSpot(unchosen, node)
    if (spot.path.length > DEEPEST || (spot.copied && this.anchors.countCopy())) return this.giveUp(spot)
    if (node === null) return this.keep(spot, spot.keyAt, null)
    if (isAlias(node)) return this.alias(node, spot)
    return this.anchors.within(node, () => this.content(node, spot))
  }

  private content(node: Node, spot: Spot): unknown {
    if (isScalar(node)) return this.scalar(node, spot)
    // What stands in braces is not looked into where a text belongs: it hardly is a mapping.
    if (isOpenLeaf(spot.schema)) return this.keep(spot, startOf(node), isMap(node) ? MAPPING : [null])
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
    const pieces = this.brokenExpressions(node, spot)
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      if (pieces.has(pair)) continue
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

  /** Tells of expressions that YAML broke at their commas, and answers the entries that are only pieces of them. */
  private brokenExpressions(node: YAMLMap, spot: Spot): ReadonlySet<unknown> {
    const broken = brokenExpressions(node, spot.schema)
    for (const { key, offset } of broken) {
      this.rejected.add(pointerOf([...spot.path, key]))
      this.findings.push(unquotedExpression([...spot.path, key], offset))
    }
    return new Set(broken.flatMap(({ pieces }) => pieces))
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
    if (spot.schema !== null && !KindGuard.IsUnknown(spot.schema) && runsOn(scalar, raw)) {
      this.reject(spot, goesOn(spot, at))
    }
    const quoted = scalar.type !== 'PLAIN'
    return this.keep(spot, at, value, { references, quoted, scalar: spot.aliasAt === null ? scalar : null })
  }

  private keep<T>(spot: Spot, at: number, value: T, written: Written = UNWRITTEN): T {
    const { path, keyAt, schema, chosen } = spot
    const valueAt = spot.aliasAt ?? at
    this.places.set(pointerOf(path), { path, keyAt, valueAt, schema, chosen, value, ...written })
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

function goesOn({ path, schema }: Spot, at: number): Finding {
  const message = `the value of \`${dotted(path)}\` goes on in the next line`
  const hint = isExpression(schema)
    ? 'put the expression in quotes, or below `|` to write it in several lines'
    : 'look for a missing space after `:`, or put the value in quotes'
  return error('multiline_value', at, message, hint)
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0
}
