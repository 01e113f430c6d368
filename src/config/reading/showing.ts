import type { TSchema } from '@sinclair/typebox'
import type { Node, Scalar } from 'yaml'
import type { Shown } from '../telling/excerpt.ts'
import type { Path } from '../telling/path.ts'
import { mayShow } from './scalars.ts'
import type { Source } from './source.ts'

/** Collects what excerpts may show while the document is read. */
export class Showing {
  private readonly source: Source
  private readonly spans: (Shown & { readonly of: number })[] = []
  /** Offsets of what is hidden, although an alias of it could be shown where it stands for another setting. */
  private readonly hidden = new Set<number>()
  /** Numbers of lines that hold something hidden. */
  private readonly lines = new Set<number>()

  constructor(source: Source) {
    this.source = source
  }

  /** Notes a key that the schema knows. */
  key(scalar: Scalar): void {
    const [start, end] = scalar.range ?? [0, 0]
    this.spans.push({ start, end, what: 'key', of: start })
  }

  /** Notes a key that it does not know; its line is not to be trusted, whether the key itself may be shown or not. */
  unknownKey(scalar: Scalar, nameable: boolean): void {
    const [start, end] = scalar.range ?? [0, 0]
    this.spans.push({ start, end: nameable ? end : start, what: 'unknown_key', of: start })
    if (!nameable) this.hide(scalar)
  }

  /** Notes a value, shown or hidden, and returns its source. */
  value(scalar: Scalar, path: Path, schema: TSchema | null): string {
    const [start, end] = scalar.range ?? [0, 0]
    const raw = this.source.text.slice(start, end)
    if (mayShow(raw, path, schema)) this.showLines(raw, start)
    else if (raw !== '') this.hide(scalar)
    return raw
  }

  /**
   * Excerpts are of one line, so each line of the value is shown for itself; but not what looks like another setting,
   * which a forgotten quote may have made a part of the text.
   */
  private showLines(raw: string, of: number): void {
    let start = of
    for (const line of raw.split('\n')) {
      const isShown = start === of || !/^\s*(- +)?[{["']*[\w-]+["']?:(\s|$)/.test(line)
      if (isShown) this.spans.push({ start, end: start + line.trimEnd().length, what: 'value', of })
      start += line.length + 1
    }
  }

  /** Whether something hidden, read before, stands on the line of the offset. */
  hidesAt(offset: number): boolean {
    return this.lines.has(this.source.lines.linePos(offset).line)
  }

  /** Notes something that no excerpt may show. */
  hide({ range }: Node): void {
    const [start, end] = range ?? [0, 0]
    this.hidden.add(start)
    this.lines.add(this.source.lines.linePos(start).line)
    this.lines.add(this.source.lines.linePos(end).line)
  }

  shown(): readonly Shown[] {
    return this.spans.filter(({ start, end, of }) => start === end || !this.hidden.has(of))
  }
}
