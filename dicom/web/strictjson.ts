/**
 * JSON (RFC 8259) from outside, read strictly: a name twice in one object is refused, since readers differ on which one counts; numbers
 * keep their text, since 64 bit values and decimal strings do not survive a double; objects are Maps, so that no name means anything here.
 */

export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
export type JsonObject = ReadonlyMap<string, JsonValue>;
export type JsonValue = string | boolean | null | JsonNumber | readonly JsonValue[] | JsonObject;

export interface JsonLimits {
  /** Each level of sequence nesting takes three levels of JSON: attribute, Value, item. Sixteen sequences (writeDepthMax), the list and the instance. */
  readonly depthMax: number;
  /** Values and names together. An enhanced object of 2,000 frames has some 200,000. */
  readonly valuesMax: number;
}
export const jsonLimits: JsonLimits = { depthMax: 56, valuesMax: 2_000_000 };

export class JsonProblem extends Error {
  /** `json-invalid`, `json-name-repeated`, `json-limit-exceeded`. */
  readonly code: 'json-invalid' | 'json-name-repeated' | 'json-limit-exceeded';
  /** In characters. */
  readonly offset: number;
  constructor(code: JsonProblem['code'], offset: number, message: string) {
    super(message);
    this.name = 'JsonProblem';
    this.code = code;
    this.offset = offset;
  }
}

/** Parses a whole text. Throws JsonProblem. */
export function parseStrictJson(text: string, limits: JsonLimits = jsonLimits): JsonValue {
  const parser = new Parser(text, limits);
  const value = parser.value(0);
  parser.end();
  return value;
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const blank = /[ \t\n\r]*/y;
/** What stands in a string without being escaped; long values of base64 are one match. */
// oxlint-disable-next-line no-control-regex -- RFC 8259 §7: these must be escaped
const plain = /[^"\\\u0000-\u001f]*/y;
const escapes: ReadonlyMap<string, string> = new Map([['"', '"'], ['\\', '\\'], ['/', '/'], ['b', '\b'], ['f', '\f'], ['n', '\n'], ['r', '\r'], ['t', '\t']]);

class Parser {
  readonly #text: string;
  readonly #limits: JsonLimits;
  #at = 0;
  #values = 0;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  end(): void {
    this.#skip();
    if (this.#at < this.#text.length) throw this.#invalid('text after the value');
  }

  /** Recursion is bounded by depthMax. */
  value(depth: number): JsonValue {
    if (depth > this.#limits.depthMax) throw new JsonProblem('json-limit-exceeded', this.#at, `the text nests deeper than ${this.#limits.depthMax}`);
    this.#values += 1;
    if (this.#values > this.#limits.valuesMax) throw new JsonProblem('json-limit-exceeded', this.#at, `the text has more than ${this.#limits.valuesMax} values`);
    this.#skip();
    switch (this.#text[this.#at]) {
      case '{': return this.#object(depth);
      case '[': return this.#array(depth);
      case '"': return this.#string();
      case 't': return this.#word('true', true);
      case 'f': return this.#word('false', false);
      case 'n': return this.#word('null', null);
      default: {
        const found = this.#match(number);
        if (found === '') throw this.#invalid('no value');
        return new JsonNumber(found);
      }
    }
  }

  #object(depth: number): JsonObject {
    const object = new Map<string, JsonValue>();
    this.#at += 1;
    this.#skip();
    if (this.#take('}')) return object;
    for (;;) {
      this.#skip();
      if (this.#text[this.#at] !== '"') throw this.#invalid('no name');
      const at = this.#at;
      const name = this.#string();
      if (object.has(name)) throw new JsonProblem('json-name-repeated', at, `the name ${JSON.stringify(name.slice(0, 64))} stands twice in one object`);
      this.#skip();
      if (!this.#take(':')) throw this.#invalid('no colon');
      object.set(name, this.value(depth + 1));
      this.#skip();
      if (this.#take('}')) return object;
      if (!this.#take(',')) throw this.#invalid('neither comma nor closing brace');
    }
  }

  #array(depth: number): readonly JsonValue[] {
    const array: JsonValue[] = [];
    this.#at += 1;
    this.#skip();
    if (this.#take(']')) return array;
    for (;;) {
      array.push(this.value(depth + 1));
      this.#skip();
      if (this.#take(']')) return array;
      if (!this.#take(',')) throw this.#invalid('neither comma nor closing bracket');
    }
  }

  #string(): string {
    this.#at += 1;
    let value = this.#match(plain);
    for (;;) {
      const character = this.#text[this.#at];
      if (character === '"') {
        this.#at += 1;
        return value;
      }
      if (character !== '\\') throw this.#invalid('a string that does not end, or a control character in it');
      const escape = this.#text[this.#at + 1] ?? '';
      const plainEscape = escapes.get(escape);
      if (plainEscape !== undefined) {
        value += plainEscape;
        this.#at += 2;
      } else {
        const hex = this.#text.slice(this.#at + 2, this.#at + 6);
        if (escape !== 'u' || !/^[0-9a-fA-F]{4}$/.test(hex)) throw this.#invalid('no such escape');
        value += String.fromCharCode(Number.parseInt(hex, 16));
        this.#at += 6;
      }
      value += this.#match(plain);
    }
  }

  #word<Value>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) throw this.#invalid('no value');
    this.#at += word.length;
    return value;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #skip(): void {
    const character = this.#text.charCodeAt(this.#at);
    if (character <= 32) this.#match(blank);
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #invalid(what: string): JsonProblem {
    return new JsonProblem('json-invalid', this.#at, `no JSON: ${what} at character ${this.#at}`);
  }
}
