import { SourceMap } from 'node:module'
import { isAbsolute, relative, resolve } from 'node:path'

/** A place in a plugin's sources. Line and column count from 1. */
export interface SourcePlace {
  /** Absolute path. */
  readonly file: string
  readonly line: number
  readonly column: number
  /** The text of that line. */
  readonly sourceLine: string | null
}

/** A frame within the bundle: in the sandbox `plugin.js:3:7`, in a trusted plugin's thread `blob:6f...:3:7`. */
const FRAME = /(?:\bplugin\.js|blob:[0-9a-f-]{36}):(\d{1,9}):(\d{1,9})/g
const MOST_FRAMES = 20

/** Finds what a stack in a plugin's bundle means in its sources. The stack may be forged: no text of it is answered. */
export class SourcePlaces {
  readonly #mapText: string
  readonly #base: string
  #map: SourceMap | null = null

  /** `base` is the folder that the paths in the source map count from. */
  constructor(mapText: string, base: string) {
    this.#mapText = mapText
    this.#base = base
  }

  /** The innermost place in the stack that has a source; null when there is none. */
  find(stack: string | null): SourcePlace | null {
    if (stack === null) return null
    let frames = 0
    for (const [, line, column] of stack.matchAll(FRAME)) {
      const place = this.#at(Number(line), Number(column))
      if (place !== null) return place
      if ((frames += 1) === MOST_FRAMES) return null
    }
    return null
  }

  #at(line: number, column: number): SourcePlace | null {
    this.#map ??= new SourceMap(JSON.parse(this.#mapText))
    const entry = this.#map.findEntry(line - 1, column - 1)
    if (!('originalSource' in entry)) return null
    const { originalSource, originalLine, originalColumn } = entry
    const number = this.#map.payload.sources.indexOf(originalSource)
    const text = this.#map.payload.sourcesContent[number]
    return {
      file: resolve(this.#base, originalSource),
      line: originalLine + 1,
      column: originalColumn + 1,
      sourceLine: text?.split(/\r?\n/)[originalLine] ?? null,
    }
  }
}

/** As `plugins/nps.ts:12:5`: the path below the working folder, or the whole one outside of it. */
export function tellPlace({ file, line, column }: SourcePlace): string {
  const below = relative(process.cwd(), file)
  const path = below === '' || below.startsWith('..') || isAbsolute(below) ? file : below
  return `${path}:${line}:${column}`
}
