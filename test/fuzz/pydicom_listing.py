"""Lists the elements of DICOM objects as pydicom reads them, in the form of listing.ts.

Each request on standard input is four bytes of length (little endian) and the object; each answer is one line of text, its lines separated by tabs.
"""
import logging
import struct
import sys
import warnings
import zlib
from io import BytesIO

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_sequence

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


def is_sequence(element):
    if element.VR is not None:
        return element.VR == "SQ"
    try:
        return dictionary_VR(element.tag) == "SQ"
    except KeyError:
        return False


def list_dataset(dataset, path, lines):
    for tag, element in dataset._dict.items():
        name = path + "%08x" % int(tag)
        if int(tag) == 0x00080005:
            # pydicom replaces it by what it makes of it while it reads.
            lines.append(name)
            continue
        if not isinstance(element, RawDataElement):
            lines.append(name + " SQ")
            items = element.value
        elif is_sequence(element):
            lines.append(name + " SQ")
            value = element.value or b""
            items = read_sequence(BytesIO(value), element.is_implicit_VR, element.is_little_endian, len(value), "iso8859")
        else:
            value = element.value or b""
            vr = "--" if element.is_implicit_VR or element.VR is None else element.VR
            lines.append("%s %s %d %x" % (name, vr, len(value), zlib.crc32(value)))
            continue
        for index, item in enumerate(items):
            list_dataset(item, "%s[%d]." % (name, index), lines)


def listing(data):
    try:
        dataset = pydicom.dcmread(BytesIO(data))
        lines = [str(dataset.file_meta.get("TransferSyntaxUID", ""))]
        list_dataset(dataset, "", lines)
        return lines
    except BaseException as error:  # whatever it is, it is an answer
        return ["error " + type(error).__name__ + " " + str(error).replace("\t", " ").replace("\n", " ")[:200]]


def main():
    source, answers = sys.stdin.buffer, sys.stdout.buffer
    while True:
        head = source.read(4)
        if len(head) < 4:
            return
        answers.write("\t".join(listing(source.read(struct.unpack("<I", head)[0]))).encode("utf-8", "replace") + b"\n")
        answers.flush()


main()
