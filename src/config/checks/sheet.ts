import { dotted, type Path, pointerOf } from '../telling/path.ts'
import type { Place, Reading } from '../reading/places.ts'
import { isRejected } from './shape.ts'

/** The file as the checks of its meaning see it: a value that already has a mistake is as good as unknown to them. */
export class Sheet {
  /** The folder that relative paths start from. */
  readonly folder: string
  private readonly reading: Reading
  private readonly rejected: ReadonlySet<string>

  constructor(reading: Reading, rejected: ReadonlySet<string>, folder: string) {
    this.reading = reading
    this.rejected = rejected
    this.folder = folder
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

  /** The names of the tenants whose settings are a mapping, in the order of the file. */
  tenants(): string[] {
    return this.places()
      .filter(({ path, schema }) => path.length === 2 && path[0] === 'tenants' && schema !== null)
      .map(({ path }) => path[1]!)
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

/** The dotted path in backticks, as messages name a setting. */
export function named(...path: Path): string {
  return `\`${dotted(path)}\``
}
