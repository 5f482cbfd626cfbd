import * as tag from "../tags.ts";
import { readArray, readFloats } from "./arrays.ts";
import { readArrayBuffer, readBlob, readNodeBuffer, readView, readViewOn } from "./binary.ts";
import { readError } from "./errors.ts";
import { readCodecInstance, readFunction, readInstance, readWithProps } from "./instances.ts";
import { bigInt64, float64, int16, int32 } from "./numbers.ts";
import { readFields, readNullObject, readObject } from "./objects.ts";
import { readBigInt, readBoxed, readMap, readRegExp, readSet, readShared, readWellKnown } from "./others.ts";
import { DecodeState } from "./state.ts";
import { readUtf8, readUtf16 } from "./strings.ts";

export class Decoder extends DecodeState {
  value(): unknown {
    const first = this.u8();
    if (first < tag.FIX_INT_END) return first;
    if (first < tag.FIX_STRING_END) return readUtf8(this, first - tag.FIX_STRING);
    if (first < tag.FIX_ARRAY_END) return readArray(this, first - tag.FIX_ARRAY);
    if (first < tag.FIX_OBJECT_END) return readObject(this, first - tag.FIX_OBJECT);
    if (first < tag.SHAPED_END) return readFields(this, this.shape(first - tag.SHAPED));
    switch (first) {
      case tag.UNDEFINED:
        return undefined;
      case tag.NULL:
        return null;
      case tag.FALSE:
        return false;
      case tag.TRUE:
        return true;
      case tag.INT8:
        return (this.u8() << 24) >> 24;
      case tag.INT16:
        return int16(this.buf, this.skip(2));
      case tag.INT32:
        return int32(this.buf, this.skip(4));
      case tag.FLOAT64:
        return float64(this.buf, this.skip(8));
      case tag.STRING8:
        return readUtf8(this, this.u8());
      case tag.STRING:
        return readUtf8(this, this.varint());
      case tag.REF:
        return this.ref();
      case tag.ARRAY:
        return readArray(this, this.varint());
      case tag.ARRAY_FLOAT64:
        return readFloats(this);
      case tag.OBJECT:
        return readObject(this, this.varint());
      default:
        return this.rare(first);
    }
  }

  private rare(first: number): unknown {
    switch (first) {
      case tag.STRING_UTF16:
        return readUtf16(this);
      case tag.BIGINT64:
        return bigInt64(this.buf, this.skip(8));
      case tag.BIGINT:
        return readBigInt(this);
      case tag.SYMBOL:
        return Symbol.for(this.text());
      case tag.SYMBOL_WELL_KNOWN:
        return readWellKnown(this);
      case tag.OBJECT_NULL:
        return readNullObject(this);
      case tag.MAP:
        return readMap(this);
      case tag.SET:
        return readSet(this);
      case tag.DATE:
        return this.add(new Date(float64(this.buf, this.skip(8))));
      case tag.REGEXP:
        return readRegExp(this);
      case tag.URL_TAG:
        return this.add(new URL(this.text()));
      case tag.URL_SEARCH_PARAMS:
        return this.add(new URLSearchParams(this.text()));
      case tag.BOXED:
        return readBoxed(this);
      case tag.ARRAY_BUFFER:
        return readArrayBuffer(this, false);
      case tag.SHARED_ARRAY_BUFFER:
        return readArrayBuffer(this, true);
      case tag.VIEW:
        return readView(this);
      case tag.VIEW_ON:
        return readViewOn(this);
      case tag.BUFFER:
        return readNodeBuffer(this);
      case tag.BLOB:
        return readBlob(this);
      case tag.ERROR:
        return readError(this);
      case tag.INSTANCE:
        return readInstance(this);
      case tag.INSTANCE_CODEC:
        return readCodecInstance(this);
      case tag.FUNCTION:
        return readFunction(this);
      case tag.WITH_PROPS:
        return readWithProps(this);
      case tag.SHARED_VALUE:
        return readShared(this);
      default:
        throw this.malformed(`no value starts with ${first}`);
    }
  }
}
