"""GSM text: alphabets, packing, user data header, segmentation and reassembly (3GPP TS 23.038, TS 23.040)."""
