import { createPalette, type Palette } from '../demo/palette.ts'
import type { CommandContext } from './context.ts'

/** Colours on a terminal, unless the environment says NO_COLOR (https://no-color.org). */
export function paletteOf({ terminal, environment }: CommandContext): Palette {
  return createPalette(terminal && !environment['NO_COLOR'])
}
