"""What is known of each source: its name, its licence, how to get it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A data set as its makers publish it.

    Attributes:
        key: the word on the command line.
        title: its name.
        layout: what the folder given with --source holds, in a few words.
        licence: under which images and labels may be used; travels into dataset.json and trained models.
        access: how to get it, one line.
    """

    key: str
    title: str
    layout: str
    licence: str
    access: str


CATALOGUE: dict[str, Source] = {
    source.key: source
    for source in (
        Source(
            "msd",
            "Medical Segmentation Decathlon",
            "one task's folder, such as Task04_Hippocampus",
            "CC BY-SA 4.0",
            "free, one archive a task, from medicaldecathlon.com",
        ),
        Source(
            "oai_zib",
            "OAI-ZIB",
            "masks *.mhd, OAI images (DICOM folders or files) beside them or with --images",
            "masks: Zuse Institute Berlin's terms; images: the OAI's data use agreement",
            "masks from the Zuse Institute Berlin (pubdata.zib.de); images after an agreement with the OAI "
            "(nda.nih.gov/oai), paths in the masks' doc/oai_mri_paths.txt",
        ),
        Source(
            "oaizib_cm",
            "OAIZIB-CM",
            "imagesTr, labelsTr, imagesTs, labelsTs, info, kneeSideInfo.csv",
            "CC BY-NC 4.0",
            "free, from the Hugging Face data set YongchengYAO/OAIZIB-CM",
        ),
        Source(
            "ski10",
            "SKI10",
            "image-001.mhd and labels-001.mhd, or their NIfTI copies",
            "SKI10 challenge's terms, after registration",
            "registration at the SKI10 challenge (ski10.grand-challenge.org)",
        ),
        Source(
            "iwoai2019",
            "IWOAI 2019 segmentation challenge",
            "train_001_V00.im and .seg, HDF5",
            "on request from the challenge's makers; images: the OAI's data use agreement",
            "on request from the makers of the 2019 IWOAI segmentation challenge",
        ),
        Source(
            "skm_tea",
            "SKM-TEA",
            "image_files, segmentation_masks, annotations",
            "Stanford University's data set research use agreement",
            "an account at Stanford's AIMI centre (aimi.stanford.edu), data set SKM-TEA",
        ),
    )
}
