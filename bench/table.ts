import { type Aim, type Case, type Figure, isMet } from './case.ts'

/** What came of one row: its figures, or why there are none. */
export interface Row {
  readonly case: Case
  readonly figures: readonly Figure[]
  /** Null: it ran. */
  readonly failure: string | null
}

/** The table as text in Markdown's form, a line for each figure, the columns in line. */
export function tableText(rows: readonly Row[]): string {
  const lines = [['what', 'against, in the same run', '', 'measured', '±', 'aim', 'met', 'raw numbers']]
  for (const { case: one, figures, failure } of rows) {
    const title = [one.what, one.against]
    if (failure !== null) lines.push([...title, '', 'failed', '', '', 'no', failure.split('\n')[0]!])
    for (const [index, figure] of figures.entries()) {
      lines.push([
        ...(index === 0 ? title : ['', '']),
        figure.name === 'ratio' ? '' : figure.name,
        valueText(figure),
        figure.spread > 0 ? `${Math.round(figure.spread * 100)}%` : '',
        aimText(figure.aim, figure.unit),
        metText(figure),
        figure.raw,
      ])
    }
  }
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const text = lines.map(
    (line) => `| ${line.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`,
  )
  text.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`)
  return text.join('\n')
}

/** `0.56×`, `12.3 ms` */
export function valueText({ value, unit }: Pick<Figure, 'value' | 'unit'>): string {
  if (value === null) return '–'
  const digits = unit === '×' || value < 10 ? 2 : value < 100 ? 1 : 0
  return unit === '×' ? `${value.toFixed(digits)}×` : `${value.toFixed(digits)} ${unit}`
}

function aimText(aim: Aim | null, unit: Figure['unit']): string {
  if (aim === null) return ''
  const of = unit === '×' ? '×' : ` ${unit}`
  return 'atLeast' in aim ? `≥ ${aim.atLeast}${of}` : `< ${aim.below}${of}`
}

function metText(figure: Figure): string {
  const met = isMet(figure)
  return met === null ? '' : met ? 'yes' : 'NO'
}
