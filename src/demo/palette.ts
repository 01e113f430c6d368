import { styleText } from 'node:util'

type Paint = (text: string) => string

/** The colours of the demo's output, by what they say. */
export interface Palette {
  readonly heading: Paint
  readonly strong: Paint
  readonly quiet: Paint
  readonly good: Paint
  readonly refused: Paint
  readonly bad: Paint
  readonly segment: Paint
  readonly refiner: Paint
}

/** Without colours every text stays as it is. */
export function createPalette(colours: boolean): Palette {
  const paint = (...style: Exclude<Parameters<typeof styleText>[0], string>): Paint =>
    // The caller knows whether this is a terminal; styleText must not look for itself.
    colours ? (text) => styleText(style, text, { validateStream: false }) : (text) => text
  return {
    heading: paint('bold', 'cyan'),
    strong: paint('bold'),
    quiet: paint('dim'),
    good: paint('green'),
    refused: paint('yellow'),
    bad: paint('red'),
    segment: paint('bold', 'green'),
    refiner: paint('bold', 'magenta'),
  }
}
