import { dotted, type Path, pointerOf } from '../telling/path.ts'
import type { Place, Reading } from '../reading/places.ts'
import type { ReferenceSources } from '../reading/interpolate.ts'
import type { Source } from '../reading/source.ts'
import { isRejected } from './shape.ts'

/** The file as the checks of its meaning see it: a value that already has a mistake is as good as unknown to them. */
export class Sheet {
  readonly source: Source
  readonly sources: ReferenceSources
  private readonly reading: Reading
  private readonly rejected: ReadonlySet<string>
  private children: ReadonlyMap<string, readonly string[]> | null = null

  constructor(
    source: Source,
    sources: ReferenceSources,
    { reading, rejected }: { reading: Reading; rejected: ReadonlySet<string> },
  ) {
    this.source = source
    this.sources = sources
    this.reading = reading
    this.rejected = rejected
  }

  /** The folder that relative paths start from. */
  get folder(): string {
    return this.sources.folder
  }

  /** The whole file; of the shape of its schema when there are no mistakes. */
  get value(): unknown {
    return this.reading.value
  }

  /** Every place without a mistake, in the order of the file as far as lists and mappings go. */
  places(): Place[] {
    return [...this.reading.places]
      .filter(([pointer]) => !isRejected(pointer, this.rejected))
      .map(([, place]) => place)
  }

  /** A place that is in the file and has no mistake. */
  place(...path: Path): Place | null {
    const pointer = pointerOf(path)
    return isRejected(pointer, this.rejected) ? null : (this.reading.places.get(pointer) ?? null)
  }

  /** The text at a path; null when there is none or it has a mistake. */
  text(...path: Path): string | null {
    const value = this.place(...path)?.value
    return typeof value === 'string' ? value : null
  }

  /** Whether the path is in the file, with a mistake or without. */
  has(...path: Path): boolean {
    return this.reading.places.has(pointerOf(path)) || isRejected(pointerOf(path), this.rejected)
  }

  /** The keys of a mapping, or the indices of a list, in the order of the file: an object would put digits first. */
  keys(...path: Path): readonly string[] {
    this.children ??= childrenOf(this.reading)
    return this.children.get(pointerOf(path)) ?? []
  }

  /** Whether neither the path nor anything around or below it has a mistake. */
  isClean(...path: Path): boolean {
    const pointer = pointerOf(path)
    if (isRejected(pointer, this.rejected)) return false
    return ![...this.rejected].some((other) => other.startsWith(`${pointer}/`))
  }

  /** A place as messages write it: refiner-sync.yaml:31:11. */
  where(offset: number): string {
    const { line, col } = this.source.lines.linePos(offset)
    return `${this.source.file}:${line}:${col}`
  }

  /** The names of the tenants whose settings are a mapping, in the order of the file. */
  tenants(): string[] {
    return this.keys('tenants').filter((name) => (this.place('tenants', name)?.schema ?? null) !== null)
  }

  /** Offset of the deepest key along a path that is in the file: where something that is missing belongs. */
  nearestKey(...path: Path): number {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const place = this.reading.places.get(pointerOf(path.slice(0, depth)))
      if (place !== undefined) return place.keyAt
    }
    return this.reading.places.get('')?.keyAt ?? 0
  }
}

function childrenOf({ places }: Reading): Map<string, string[]> {
  const children = new Map<string, string[]>()
  for (const { path } of places.values()) {
    if (path.length === 0) continue
    const parent = pointerOf(path.slice(0, -1))
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [path.at(-1)!])
    else siblings.push(path.at(-1)!)
  }
  return children
}

/** The dotted path in backticks, as messages name a setting. */
export function named(...path: Path): string {
  return `\`${dotted(path)}\``
}
