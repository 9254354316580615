/** What a variable's text means, or what would have been allowed instead. */
export type Reading<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'wrong'; readonly allowed: string }

/** Reads the text of one variable. Total, and never quotes the text: it may be a secret. */
export type Read<T> = (text: string) => Reading<T>

export function value<T>(value: T): Reading<T> {
  return { kind: 'value', value }
}

export function wrong(allowed: string): Reading<never> {
  return { kind: 'wrong', allowed }
}

/** A reader from a function that answers undefined for everything that is not allowed. */
export function reader<T>(allowed: string, parse: (text: string) => T | undefined): Read<T> {
  return (text) => {
    const parsed = parse(text)
    return parsed === undefined ? wrong(allowed) : value(parsed)
  }
}
